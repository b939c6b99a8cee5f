/*
 * The native methods of org.percepnet.Percepnet: percepnet.h for Java and Kotlin.
 *
 * States and weights lie in direct buffers that Java owns. An object that calls keeps its buffers
 * alive for the length of the call, so that nothing here can meet memory that is gone, and nothing
 * has to be freed. The Java class checks positions and sizes and lets one thread at a time into a
 * state; what only an address tells is checked here.
 */
#include <jni.h>
#include <stdint.h>

#include "percepnet.h"

static void throw_argument(JNIEnv *env, const char *message) {
    const jclass type = (*env)->FindClass(env, "java/lang/IllegalArgumentException");
    if (type != NULL) /* else the failure to find it is thrown */
        (*env)->ThrowNew(env, type, message);
}

static void throw_unless_ok(JNIEnv *env, pn_status_t status) {
    if (status != PN_OK)
        throw_argument(env, pn_strerror(status));
}

/* A direct buffer's memory; NULL, and an exception, for one that is not direct. */
static char *memory_of(JNIEnv *env, jobject buffer) {
    char *const memory = (*env)->GetDirectBufferAddress(env, buffer);
    if (memory == NULL)
        throw_argument(env, "the buffer is not direct");
    return memory;
}

/* Java made and aligned it: never NULL. */
static pn_state_t *state_of(JNIEnv *env, jobject buffer) {
    return (*env)->GetDirectBufferAddress(env, buffer);
}

/* Samples at a byte offset; NULL, and an exception, without memory or alignment. */
static void *samples_at(JNIEnv *env, jobject buffer, jint at, size_t sample_bytes) {
    char *const memory = memory_of(env, buffer);
    if (memory == NULL)
        return NULL;
    if ((uintptr_t)(memory + at) % sample_bytes != 0) {
        throw_argument(env, "the samples are not aligned: use an even position, for floats one "
                            "that is a multiple of 4");
        return NULL;
    }
    return memory + at;
}

static jstring version(JNIEnv *env, jclass type) {
    (void)type;
    return (*env)->NewStringUTF(env, pn_version());
}

static jint state_bytes(JNIEnv *env, jclass type) {
    (void)env;
    (void)type;
    return (jint)pn_state_size();
}

static jlong address(JNIEnv *env, jclass type, jobject buffer, jint at) {
    (void)type;
    char *const memory = memory_of(env, buffer);
    return memory == NULL ? 0 : (jlong)(uintptr_t)(memory + at);
}

static void init(JNIEnv *env, jclass type, jobject state, jint sample_rate_hz, jstring isa) {
    (void)type;
    const char *const name = isa == NULL ? NULL : (*env)->GetStringUTFChars(env, isa, NULL);
    if (isa != NULL && name == NULL)
        return; /* out of memory is thrown */
    const pn_status_t status = pn_init(state_of(env, state), sample_rate_hz, name);
    if (name != NULL)
        (*env)->ReleaseStringUTFChars(env, isa, name);
    throw_unless_ok(env, status);
}

static jint frame_samples(JNIEnv *env, jclass type, jobject state) {
    (void)type;
    return pn_frame_samples(state_of(env, state));
}

static jint latency_samples(JNIEnv *env, jclass type, jobject state) {
    (void)type;
    return pn_latency_samples(state_of(env, state));
}

static jstring isa_name(JNIEnv *env, jclass type, jobject state) {
    (void)type;
    return (*env)->NewStringUTF(env, pn_isa(state_of(env, state)));
}

static void reset(JNIEnv *env, jclass type, jobject state) {
    (void)type;
    pn_reset(state_of(env, state));
}

static void load_weights(JNIEnv *env, jclass type, jobject state, jobject weights, jint bytes) {
    (void)type;
    const char *const blob = memory_of(env, weights);
    if (blob != NULL)
        throw_unless_ok(env, pn_load_weights(state_of(env, state), blob, (size_t)bytes));
}

static jint process(JNIEnv *env, jclass type, jobject state, jint strength_db, jobject input,
                    jint input_at, jobject output, jint output_at, jint frames) {
    (void)type;
    pn_state_t *const denoiser = state_of(env, state);
    const size_t samples = (size_t)pn_frame_samples(denoiser);
    const int16_t *in = samples_at(env, input, input_at, sizeof *in);
    int16_t *out = in == NULL ? NULL : samples_at(env, output, output_at, sizeof *out);
    if (out == NULL)
        return 0;
    pn_set_strength(denoiser, strength_db);
    for (; frames >= 2; frames -= 2, in += 2 * samples, out += 2 * samples)
        pn_process_packet(denoiser, in, out);
    if (frames)
        pn_process(denoiser, in, out);
    return pn_voice_probability(denoiser);
}

static jint process_float(JNIEnv *env, jclass type, jobject state, jint strength_db, jobject input,
                          jint input_at, jobject output, jint output_at, jint frames) {
    (void)type;
    pn_state_t *const denoiser = state_of(env, state);
    const size_t samples = (size_t)pn_frame_samples(denoiser);
    const float *in = samples_at(env, input, input_at, sizeof *in);
    float *out = in == NULL ? NULL : samples_at(env, output, output_at, sizeof *out);
    if (out == NULL)
        return 0;
    pn_set_strength(denoiser, strength_db);
    for (; frames; frames--, in += samples, out += samples)
        pn_process_float(denoiser, in, out);
    return pn_voice_probability(denoiser);
}

#define BUFFER "Ljava/nio/ByteBuffer;"
#define STRING "Ljava/lang/String;"

/* JNI's structure has no const members, and only ever reads them; functions are given as data. */
#define METHOD(name, signature, function)                                                          \
    {(char *)(uintptr_t)(name), (char *)(uintptr_t)(signature), (void *)(uintptr_t)(function)}

JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM *vm, void *reserved) {
    (void)reserved;
    static const JNINativeMethod methods[] = {
        METHOD("nativeVersion", "()" STRING, version),
        METHOD("nativeStateBytes", "()I", state_bytes),
        METHOD("nativeAddress", "(" BUFFER "I)J", address),
        METHOD("nativeInit", "(" BUFFER "I" STRING ")V", init),
        METHOD("nativeFrameSamples", "(" BUFFER ")I", frame_samples),
        METHOD("nativeLatencySamples", "(" BUFFER ")I", latency_samples),
        METHOD("nativeIsa", "(" BUFFER ")" STRING, isa_name),
        METHOD("nativeReset", "(" BUFFER ")V", reset),
        METHOD("nativeLoadWeights", "(" BUFFER BUFFER "I)V", load_weights),
        METHOD("nativeProcess", "(" BUFFER "I" BUFFER "I" BUFFER "II)I", process),
        METHOD("nativeProcessFloat", "(" BUFFER "I" BUFFER "I" BUFFER "II)I", process_float),
    };
    JNIEnv *env = NULL;
    if ((*vm)->GetEnv(vm, (void **)&env, JNI_VERSION_1_6) != JNI_OK)
        return JNI_ERR;
    const jclass type = (*env)->FindClass(env, "org/percepnet/Percepnet");
    if (type == NULL)
        return JNI_ERR;
    const jint count = (jint)(sizeof methods / sizeof methods[0]);
    return (*env)->RegisterNatives(env, type, methods, count) == JNI_OK ? JNI_VERSION_1_6 : JNI_ERR;
}
