/* Kernels of the signal path, AVX2. See pn_dsp_kernels.h. */
#include "pn_lanes_avx2.h"

#include "pn_dsp_fft.h"
#include "pn_dsp_path.h"

const pn_dsp_kernels_t pn_dsp_ukernels__avx2[1] = {{.isa = "avx2", PN_DSP_FFT, PN_DSP_PATH}};
