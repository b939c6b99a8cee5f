# Compatible: the same major version, not older. Before 1.0 the same minor version too.
set(PACKAGE_VERSION "{{ version }}")
string(REGEX MATCH "^[0-9]+\\.[0-9]+" _percepnet_series "${PACKAGE_VERSION}")
if(NOT _percepnet_series MATCHES "^0\\.")
    string(REGEX MATCH "^[0-9]+" _percepnet_series "${PACKAGE_VERSION}")
endif()
set(PACKAGE_VERSION_COMPATIBLE FALSE)
if(NOT PACKAGE_FIND_VERSION VERSION_GREATER PACKAGE_VERSION
   AND "${PACKAGE_FIND_VERSION}." MATCHES "^${_percepnet_series}\\.")
    set(PACKAGE_VERSION_COMPATIBLE TRUE)
endif()
if(PACKAGE_FIND_VERSION VERSION_EQUAL PACKAGE_VERSION)
    set(PACKAGE_VERSION_EXACT TRUE)
endif()
