import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.BufferOverflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.ReadOnlyBufferException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.percepnet.Percepnet;

/**
 * Tests of org.percepnet.Percepnet on this computer's JVM: {@code PercepnetTest NAME ARGUMENTS...}
 * ends with exit code 0 when the test NAME holds. What makes sound writes it into a file, for the
 * caller to compare.
 */
public final class PercepnetTest {
    private static final int FRAME_BYTES = 960;
    private static final int DEADLINE_S = 60;

    private interface Test {
        void run(String[] arguments) throws Exception;
    }

    public static void main(String[] words) throws Exception {
        String[] arguments = new String[words.length - 1];
        System.arraycopy(words, 1, arguments, 0, arguments.length);
        find(words[0]).run(arguments);
        System.out.println("passed " + words[0]);
    }

    private static Test find(String name) {
        switch (name) {
            case "denoise":
                return PercepnetTest::denoise;
            case "facts":
                return PercepnetTest::facts;
            case "closed":
                return PercepnetTest::closedObjectsThrow;
            case "race":
                return PercepnetTest::closingWhileOthersProcess;
            case "allocation":
                return PercepnetTest::processingAllocatesNothing;
            case "arguments":
                return PercepnetTest::wrongArgumentsAreRefused;
            case "weights":
                return PercepnetTest::weightsOfAnyBuffer;
            case "damage":
                return PercepnetTest::damagedWeightsChangeNothing;
            case "forgotten":
                return PercepnetTest::forgottenObjectsAreCollected;
            default:
                throw new IllegalArgumentException("no test " + name);
        }
    }

    /** denoise IN OUT RATE ISA pcm16|float FRAMES: a raw file, FRAMES of 10 ms with each call. */
    private static void denoise(String[] arguments) throws IOException {
        int rate = Integer.parseInt(arguments[2]);
        boolean floats = arguments[4].equals("float");
        ByteBuffer sound = direct(Files.readAllBytes(Paths.get(arguments[0])));
        String isa = arguments[3].equals("best") ? null : arguments[3];
        try (Percepnet percepnet = new Percepnet(rate, isa)) {
            int frames = Integer.parseInt(arguments[5]);
            int step = percepnet.getFrameBytes() * (floats ? 2 : 1) * frames;
            for (int at = 0; at + step <= sound.capacity(); at += step) {
                sound.limit(at + step);
                sound.position(at);
                if (floats) {
                    percepnet.processFloat(sound, sound);
                } else {
                    percepnet.process(sound, sound);
                }
                check(sound.position() == at && sound.limit() == at + step, "a position moved");
            }
        }
        sound.clear();
        write(arguments[1], sound);
    }

    private static void facts(String[] arguments) {
        try (Percepnet percepnet = new Percepnet(16000)) {
            equal(percepnet.getSampleRateHz(), 16000);
            equal(percepnet.getFrameSamples(), 160);
            equal(percepnet.getFrameBytes(), 320);
            equal(percepnet.getLatencySamples(), 480);
            equal(percepnet.getIsa(), arguments[0]);
            equal(Percepnet.getVersion(), arguments[1]);
            equal(percepnet.getStrength(), Percepnet.STRENGTH_FULL);
            percepnet.setStrength(12);
            equal(percepnet.getStrength(), 12);
            percepnet.setStrength(1000);
            equal(percepnet.getStrength(), Percepnet.STRENGTH_FULL);
            equal(percepnet.getVoiceProbability(), 0f);
            check(!percepnet.isClosed(), "closed too early");
        }
    }

    private static void closedObjectsThrow(String[] arguments) {
        ByteBuffer frame = ByteBuffer.allocateDirect(FRAME_BYTES * 2);
        Percepnet percepnet = new Percepnet(48000);
        percepnet.close();
        percepnet.close();
        check(percepnet.isClosed(), "not closed");
        Runnable[] uses = {
            () -> percepnet.process(frame, frame),
            () -> percepnet.processFloat(frame, frame),
            percepnet::reset,
            () -> percepnet.loadWeights(frame),
            () -> percepnet.setStrength(3),
            percepnet::getStrength,
            percepnet::getVoiceProbability,
            percepnet::getSampleRateHz,
            percepnet::getFrameSamples,
            percepnet::getFrameBytes,
            percepnet::getLatencySamples,
            percepnet::getIsa,
        };
        for (int i = 0; i < uses.length; i++) {
            throwsException(IllegalStateException.class, "use " + i, uses[i]);
        }
    }

    /** Threads use objects that another thread closes: each ends with IllegalStateException. */
    private static void closingWhileOthersProcess(String[] arguments) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(4);
        for (int round = 0; round < 60; round++) {
            Percepnet percepnet = new Percepnet(48000);
            Future<?>[] users = new Future<?>[3];
            for (int i = 0; i < users.length; i++) {
                users[i] = pool.submit(useUntilClosed(percepnet, i));
            }
            Thread.sleep(round % 5);
            percepnet.close();
            for (Future<?> user : users) {
                user.get(DEADLINE_S, TimeUnit.SECONDS);
            }
        }
        pool.shutdown();
    }

    private static Callable<Void> useUntilClosed(Percepnet percepnet, int kind) {
        return () -> {
            ByteBuffer frame = ByteBuffer.allocateDirect(FRAME_BYTES);
            try {
                while (true) {
                    percepnet.process(frame, frame);
                    percepnet.setStrength(kind * 20);
                    percepnet.getVoiceProbability();
                    if (kind == 0) {
                        percepnet.reset();
                    }
                }
            } catch (IllegalStateException closed) {
                return null;
            }
        };
    }

    private static void processingAllocatesNothing(String[] arguments) {
        com.sun.management.ThreadMXBean threads =
                (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        long thread = Thread.currentThread().getId();
        ByteBuffer frame = ByteBuffer.allocateDirect(FRAME_BYTES * 2);
        try (Percepnet percepnet = new Percepnet(48000)) {
            long before = 0;
            for (int i = 0; i < 400; i++) {
                if (i == 100) { // by then classes are loaded
                    before = threads.getThreadAllocatedBytes(thread);
                }
                percepnet.process(frame, frame);
                percepnet.processFloat(frame, frame);
                percepnet.setStrength(i % 40);
                percepnet.getVoiceProbability();
            }
            long allocated = threads.getThreadAllocatedBytes(thread) - before;
            /* A call of the measurement itself may take an object or two, 300 turns take more. */
            check(allocated < 300, allocated + " bytes allocated in 600 frames");
        }
    }

    private static void wrongArgumentsAreRefused(String[] arguments) {
        ByteBuffer frame = ByteBuffer.allocateDirect(FRAME_BYTES);
        ByteBuffer large = ByteBuffer.allocateDirect(4 * FRAME_BYTES);
        Class<IllegalArgumentException> wrong = IllegalArgumentException.class;
        throwsException(wrong, "rate", () -> new Percepnet(44100));
        throwsException(wrong, "isa", () -> new Percepnet(48000, "mmx"));
        try (Percepnet percepnet = new Percepnet(48000)) {
            ByteBuffer heap = ByteBuffer.allocate(FRAME_BYTES);
            throwsException(wrong, "heap input", () -> percepnet.process(heap, frame));
            throwsException(wrong, "heap output", () -> percepnet.process(frame, heap));
            throwsException(wrong, "no frame", () -> percepnet.process(at(frame, 960, 960), frame));
            throwsException(
                    wrong, "half a frame", () -> percepnet.process(at(frame, 0, 480), large));
            frame.clear();
            throwsException(wrong, "odd", () -> percepnet.process(at(large, 1, 961), frame));
            throwsException(
                    wrong, "odd output", () -> percepnet.process(frame, at(large, 1, 961)));
            large.clear();
            throwsException(
                    wrong,
                    "float at 2",
                    () -> percepnet.processFloat(at(large.duplicate(), 2, 1922), large));
            throwsException(
                    ReadOnlyBufferException.class,
                    "read-only output",
                    () -> percepnet.process(frame, frame.asReadOnlyBuffer()));
            throwsException(
                    BufferOverflowException.class,
                    "no room",
                    () -> percepnet.process(at(large, 0, 1920), at(frame, 0, 960)));
            throwsException(
                    NullPointerException.class, "null", () -> percepnet.process(null, frame));
            percepnet.process(frame.asReadOnlyBuffer(), at(large, 1920, 2880));
        }
    }

    /** weights BLOB IN OUT: read in place from the file, and from buffers that need a copy. */
    private static void weightsOfAnyBuffer(String[] arguments) throws Exception {
        byte[] sound = Files.readAllBytes(Paths.get(arguments[1]));
        byte[] blob = Files.readAllBytes(Paths.get(arguments[0]));
        ByteBuffer mapped = denoiseWith(() -> map(arguments[0]), sound);
        ByteBuffer shifted = denoiseWith(() -> shifted(blob), sound);
        ByteBuffer heap = denoiseWith(() -> ByteBuffer.wrap(blob), sound);
        check(mapped.equals(shifted) && mapped.equals(heap), "another buffer, another sound");
        write(arguments[2], mapped);
    }

    /** Nobody but the suppressor holds the weights while it uses them. */
    private static ByteBuffer denoiseWith(Callable<ByteBuffer> weights, byte[] bytes)
            throws Exception {
        ByteBuffer sound = direct(bytes);
        try (Percepnet percepnet = new Percepnet(48000)) {
            percepnet.process(sound, sound.duplicate()); // to be forgotten
            percepnet.loadWeights(weights.call());
            sound = direct(bytes);
            for (int i = 0; i < 3; i++) { // memory that nobody holds is gone after this
                System.gc();
                Thread.sleep(30);
            }
            percepnet.process(sound, sound);
        }
        return sound;
    }

    /** Direct, but one byte off any alignment. */
    private static ByteBuffer shifted(byte[] bytes) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(bytes.length + 1);
        buffer.position(1);
        buffer.put(bytes);
        buffer.position(1);
        return buffer;
    }

    /** damage BLOB IN OUT: refused, and the sound goes on as if nothing had happened. */
    private static void damagedWeightsChangeNothing(String[] arguments) throws Exception {
        ByteBuffer sound = direct(Files.readAllBytes(Paths.get(arguments[1])));
        byte[] blob = Files.readAllBytes(Paths.get(arguments[0]));
        byte[] damaged = blob.clone();
        damaged[blob.length / 2] ^= 1;
        try (Percepnet percepnet = new Percepnet(48000)) {
            percepnet.process(at(sound, 0, 20 * FRAME_BYTES), sound);
            Class<IllegalArgumentException> wrong = IllegalArgumentException.class;
            throwsException(wrong, "damage", () -> percepnet.loadWeights(direct(damaged)));
            throwsException(wrong, "nothing", () -> percepnet.loadWeights(ByteBuffer.allocate(0)));
            ByteBuffer half = ByteBuffer.wrap(blob, 0, blob.length / 2);
            throwsException(wrong, "half", () -> percepnet.loadWeights(half));
            at(sound, 20 * FRAME_BYTES, sound.capacity());
            percepnet.process(sound, sound);
        }
        sound.clear();
        write(arguments[2], sound);
    }

    /** More states than the JVM was given memory for, none of them closed. */
    private static void forgottenObjectsAreCollected(String[] arguments) {
        for (int i = 0; i < 2000; i++) {
            new Percepnet(48000);
        }
    }

    private static ByteBuffer direct(byte[] bytes) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(bytes.length).order(ByteOrder.nativeOrder());
        buffer.put(bytes);
        buffer.flip();
        return buffer;
    }

    private static ByteBuffer at(ByteBuffer buffer, int position, int limit) {
        buffer.clear();
        buffer.limit(limit);
        buffer.position(position);
        return buffer;
    }

    private static MappedByteBuffer map(String path) throws IOException {
        try (FileChannel file = FileChannel.open(Paths.get(path), StandardOpenOption.READ)) {
            return file.map(FileChannel.MapMode.READ_ONLY, 0, file.size());
        }
    }

    private static void write(String path, ByteBuffer bytes) throws IOException {
        byte[] copy = new byte[bytes.remaining()];
        bytes.duplicate().get(copy);
        Path file = Paths.get(path);
        Files.write(file, copy);
    }

    private static void throwsException(Class<?> type, String what, Runnable use) {
        try {
            use.run();
        } catch (RuntimeException thrown) {
            check(thrown.getClass() == type, what + " threw " + thrown);
            return;
        }
        throw new AssertionError(what + ": nothing was thrown");
    }

    private static void equal(Object found, Object expected) {
        check(expected.equals(found), found + " instead of " + expected);
    }

    private static void check(boolean good, String message) {
        if (!good) {
            throw new AssertionError(message);
        }
    }
}
