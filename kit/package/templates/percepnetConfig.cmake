# PercepNet for {{ target }}.
#
#   find_package(percepnet CONFIG REQUIRED)
#   target_link_libraries(app PRIVATE percepnet::percepnet)
#
# percepnet::percepnet is the {% if shared %}shared library where BUILD_SHARED_LIBS is on, else the {% endif %}static one.
get_filename_component(_percepnet_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

if(NOT TARGET percepnet::static)
    add_library(percepnet::static STATIC IMPORTED)
    set_target_properties(percepnet::static PROPERTIES
        IMPORTED_LOCATION "${_percepnet_prefix}/lib/libpercepnet.a"
        IMPORTED_LINK_INTERFACE_LANGUAGES C
        INTERFACE_INCLUDE_DIRECTORIES "${_percepnet_prefix}/include")
{% if shared %}

    add_library(percepnet::shared SHARED IMPORTED)
    set_target_properties(percepnet::shared PROPERTIES
        IMPORTED_LOCATION "${_percepnet_prefix}/lib/libpercepnet.so.{{ version }}"
        IMPORTED_SONAME "libpercepnet.so.{{ version.split('.')[0] }}"
        INTERFACE_INCLUDE_DIRECTORIES "${_percepnet_prefix}/include")
{% endif %}

    add_library(percepnet::percepnet INTERFACE IMPORTED)
{% if shared %}
    if(BUILD_SHARED_LIBS)
        set_property(TARGET percepnet::percepnet PROPERTY INTERFACE_LINK_LIBRARIES percepnet::shared)
    else()
        set_property(TARGET percepnet::percepnet PROPERTY INTERFACE_LINK_LIBRARIES percepnet::static)
    endif()
{% else %}
    set_property(TARGET percepnet::percepnet PROPERTY INTERFACE_LINK_LIBRARIES percepnet::static)
{% endif %}
endif()
unset(_percepnet_prefix)
