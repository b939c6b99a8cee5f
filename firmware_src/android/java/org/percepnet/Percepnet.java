package org.percepnet;

import java.nio.BufferOverflowException;
import java.nio.ByteBuffer;
import java.nio.ReadOnlyBufferException;

/**
 * Suppresses the noise of one channel of speech, in frames of 10 ms, 30 ms late.
 *
 * <pre>{@code
 * ByteBuffer frame = ByteBuffer.allocateDirect(960); // 10 ms at 48 kHz
 * try (Percepnet percepnet = new Percepnet(48000)) {
 *     while (record(frame)) {
 *         percepnet.process(frame, frame);
 *         play(frame);
 *     }
 * }
 * }</pre>
 *
 * <p>Samples are 16-bit integers, or floats in ±1, in the processor's byte order (little endian on
 * Android), in direct buffers that are read and written in place: nothing is copied, and no method
 * that handles sound allocates.
 *
 * <p>Any thread may call any method at any time. {@link #process} of one object runs in one thread
 * at a time; {@link #setStrength} and {@link #getVoiceProbability} never wait for it. After {@link
 * #close} every other method throws {@link IllegalStateException}.
 */
public final class Percepnet implements AutoCloseable {
    /** For {@link #setStrength}: as much attenuation as the network asks for. */
    public static final int STRENGTH_FULL = 100;

    /** Of state and weights, in bytes. */
    private static final int ALIGNMENT = 64;

    private static final int BYTES_PER_PCM16 = 2;
    private static final int BYTES_PER_FLOAT = 4;
    private static final float PROBABILITY_ONE = 32767;

    static {
        System.loadLibrary("percepnet");
    }

    private final Object lock = new Object();
    private final int sampleRateHz;
    private final int frameSamples;
    private final int latencySamples;
    private final String isa;

    /** The native state; null once closed. Java owns its memory, so that no use can be too late. */
    private volatile ByteBuffer state;

    /** What the state reads in place stays in memory for as long as it is held here. */
    private ByteBuffer weights;

    private volatile int strengthDb = STRENGTH_FULL;
    private volatile int voiceProbabilityQ15;

    /**
     * Makes a suppressor with the weights that the library was built with.
     *
     * @param sampleRateHz 8000, 16000, 24000, 32000 or 48000
     * @throws IllegalArgumentException for another rate
     */
    public Percepnet(int sampleRateHz) {
        this(sampleRateHz, null);
    }

    /**
     * The same with one instruction set, for tests: all give the same bits.
     *
     * @param isa a name such as "scalar" or "neon"; null for the best of this processor
     * @throws IllegalArgumentException for an instruction set that is not to be had here
     */
    public Percepnet(int sampleRateHz, String isa) {
        ByteBuffer memory = allocateAligned(nativeStateBytes());
        nativeInit(memory, sampleRateHz, isa);
        this.sampleRateHz = sampleRateHz;
        this.frameSamples = nativeFrameSamples(memory);
        this.latencySamples = nativeLatencySamples(memory);
        this.isa = nativeIsa(memory);
        this.state = memory;
    }

    /** The version of the native library. */
    public static String getVersion() {
        return nativeVersion();
    }

    /**
     * Suppresses the noise in whole frames of 16-bit samples.
     *
     * <p>Reads all from {@code input}'s position to its limit and writes as many bytes from {@code
     * output}'s position on. Positions and limits stay as they are. Both may be the same buffer.
     *
     * @param input direct; holds {@link #getFrameBytes()} bytes, or a multiple: 20 ms at once cost
     *     less than twice 10 ms
     * @param output direct, with room for as many bytes
     * @throws IllegalStateException when closed
     * @throws IllegalArgumentException for a buffer that is not direct, not aligned to a sample, or
     *     holds no whole number of frames
     * @throws BufferOverflowException when {@code output} has too little room
     * @throws ReadOnlyBufferException when {@code output} is read-only
     */
    public void process(ByteBuffer input, ByteBuffer output) {
        run(input, output, BYTES_PER_PCM16);
    }

    /** The same as {@link #process} for float samples in ±1; twice the bytes. */
    public void processFloat(ByteBuffer input, ByteBuffer output) {
        run(input, output, BYTES_PER_FLOAT);
    }

    /** Forgets everything heard; weights and strength stay. */
    public void reset() {
        synchronized (lock) {
            nativeReset(open());
            voiceProbabilityQ15 = 0;
        }
    }

    /**
     * Uses other weights of the same network, and forgets everything heard. All is checked first:
     * weights that are refused leave the suppressor as it was.
     *
     * @param blob the bytes of a {@code .pnwb} file between position and limit. A direct buffer
     *     whose bytes start at a multiple of 64 in memory, as a mapped file does, is read in place
     *     and must not change any more; others are copied once.
     * @throws IllegalStateException when closed
     * @throws IllegalArgumentException for damaged weights, or those of another network
     */
    public void loadWeights(ByteBuffer blob) {
        ByteBuffer loaded = inPlace(blob) ? blob.slice() : copyAligned(blob);
        synchronized (lock) {
            nativeLoadWeights(open(), loaded, loaded.capacity());
            weights = loaded;
            voiceProbabilityQ15 = 0;
        }
    }

    /** The most attenuation of any band, in dB. */
    public int getStrength() {
        open();
        return strengthDb;
    }

    /**
     * Limits the suppression from the next frame on. A change takes up to 200 ms, without a click.
     *
     * @param attenuationDb most attenuation of any band, 0 to {@link #STRENGTH_FULL}; values beyond
     *     are clamped
     */
    public void setStrength(int attenuationDb) {
        open();
        strengthDb = Math.max(0, Math.min(STRENGTH_FULL, attenuationDb));
    }

    /** Probability, 0 to 1, that the newest frame of output holds voice. */
    public float getVoiceProbability() {
        open();
        return voiceProbabilityQ15 / PROBABILITY_ONE;
    }

    public int getSampleRateHz() {
        open();
        return sampleRateHz;
    }

    /** Samples of 10 ms. */
    public int getFrameSamples() {
        open();
        return frameSamples;
    }

    /** Bytes of 10 ms of 16-bit samples. */
    public int getFrameBytes() {
        open();
        return frameSamples * BYTES_PER_PCM16;
    }

    /** Delay of the output: 30 ms of samples. */
    public int getLatencySamples() {
        open();
        return latencySamples;
    }

    /** Name of the instruction set in use. */
    public String getIsa() {
        open();
        return isa;
    }

    public boolean isClosed() {
        return state == null;
    }

    /** Ends the use of this object, when a frame in work is done. Closing twice is fine. */
    @Override
    public void close() {
        synchronized (lock) {
            state = null;
            weights = null;
        }
    }

    private ByteBuffer open() {
        ByteBuffer memory = state;
        if (memory == null) {
            throw new IllegalStateException("this Percepnet is closed");
        }
        return memory;
    }

    /**
     * Each position and limit is read once: a buffer that another thread moves at the same time
     * gives wrong samples, but never an address outside of it.
     */
    private void run(ByteBuffer input, ByteBuffer output, int sampleBytes) {
        int inputAt = input.position();
        int bytes = input.limit() - inputAt;
        int outputAt = output.position();
        int room = output.limit() - outputAt;
        requireFrames(input, output, bytes, room, frameSamples * sampleBytes);
        int frames = bytes / (frameSamples * sampleBytes);
        synchronized (lock) {
            voiceProbabilityQ15 =
                    sampleBytes == BYTES_PER_PCM16
                            ? nativeProcess(
                                    open(), strengthDb, input, inputAt, output, outputAt, frames)
                            : nativeProcessFloat(
                                    open(), strengthDb, input, inputAt, output, outputAt, frames);
        }
    }

    private void requireFrames(
            ByteBuffer input, ByteBuffer output, int bytes, int room, int frameBytes) {
        open();
        if (!input.isDirect() || !output.isDirect()) {
            throw new IllegalArgumentException(
                    "the samples must be in direct buffers: ByteBuffer.allocateDirect");
        }
        if (bytes <= 0 || bytes % frameBytes != 0) {
            throw new IllegalArgumentException(
                    "the input holds " + bytes + " bytes, not a multiple of " + frameBytes);
        }
        if (room < bytes) {
            throw new BufferOverflowException();
        }
        if (output.isReadOnly()) {
            throw new ReadOnlyBufferException();
        }
    }

    private static boolean inPlace(ByteBuffer blob) {
        return blob.isDirect() && nativeAddress(blob, blob.position()) % ALIGNMENT == 0;
    }

    private static ByteBuffer copyAligned(ByteBuffer bytes) {
        ByteBuffer copy = allocateAligned(bytes.remaining());
        copy.duplicate().put(bytes.duplicate());
        return copy;
    }

    private static ByteBuffer allocateAligned(int bytes) {
        ByteBuffer memory = ByteBuffer.allocateDirect(bytes + ALIGNMENT - 1);
        int skipped = (int) (-nativeAddress(memory, 0) & ALIGNMENT - 1);
        memory.position(skipped);
        memory.limit(skipped + bytes);
        return memory.slice();
    }

    private static native String nativeVersion();

    private static native int nativeStateBytes();

    private static native long nativeAddress(ByteBuffer direct, int at);

    private static native void nativeInit(ByteBuffer state, int sampleRateHz, String isa);

    private static native int nativeFrameSamples(ByteBuffer state);

    private static native int nativeLatencySamples(ByteBuffer state);

    private static native String nativeIsa(ByteBuffer state);

    private static native void nativeReset(ByteBuffer state);

    private static native void nativeLoadWeights(ByteBuffer state, ByteBuffer weights, int bytes);

    /** Returns the voice probability, 0 to 32767. */
    private static native int nativeProcess(
            ByteBuffer state,
            int strengthDb,
            ByteBuffer input,
            int inputAt,
            ByteBuffer output,
            int outputAt,
            int frames);

    private static native int nativeProcessFloat(
            ByteBuffer state,
            int strengthDb,
            ByteBuffer input,
            int inputAt,
            ByteBuffer output,
            int outputAt,
            int frames);
}
