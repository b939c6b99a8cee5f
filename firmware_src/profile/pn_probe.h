/*
 * Where a frame's cost goes. Sources say `PN_PROBE(region)`: from here on the cost counts for that
 * region, until the next probe. Only the variant `profile` of a build has these calls, so that the
 * library that ships pays nothing; firmware_src/profile/profile.c receives them.
 */
#ifndef PN_PROBE_H
#define PN_PROBE_H

/* X(name, text): the part of `text` before a dot is a stage, the rest a layer of it. */
#define PN_PROBE_REGIONS(X)                                                                        \
    X(OUTSIDE, "outside")                                                                          \
    X(SAMPLES, "samples")                                                                          \
    X(HIGHPASS, "highpass")                                                                        \
    X(TRANSFORM, "transform")                                                                      \
    X(FEATURES, "features")                                                                        \
    X(PITCH, "pitch")                                                                              \
    X(COMB, "comb")                                                                                \
    X(NETWORK, "network.other")                                                                    \
    X(FC, "network.fc")                                                                            \
    X(CONV1, "network.conv1")                                                                      \
    X(CONV2, "network.conv2")                                                                      \
    X(GRU1, "network.gru1")                                                                        \
    X(GRU2, "network.gru2")                                                                        \
    X(GRU3, "network.gru3")                                                                        \
    X(GRU4, "network.gru4")                                                                        \
    X(GRU_STRENGTH, "network.gru_strength")                                                        \
    X(GAINS_HEAD, "network.gains")                                                                 \
    X(STRENGTHS_HEAD, "network.strengths")                                                         \
    X(VOICE, "voice")                                                                              \
    X(GAINS, "gains")                                                                              \
    X(SYNTHESIS, "synthesis")

typedef enum pn_probe_region {
#define PN_PROBE_ENUMERATE(name, text) PN_PROBE_##name,
    PN_PROBE_REGIONS(PN_PROBE_ENUMERATE)
#undef PN_PROBE_ENUMERATE
        PN_PROBE_COUNT
} pn_probe_region_t;

#ifdef PN_PROFILE
void pn_probe_enter(pn_probe_region_t region);
#define PN_PROBE_AT(region) pn_probe_enter(region)
#else
#define PN_PROBE_AT(region) ((void)0)
#endif

#define PN_PROBE(name) PN_PROBE_AT(PN_PROBE_##name)

#endif
