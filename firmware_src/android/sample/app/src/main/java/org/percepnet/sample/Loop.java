package org.percepnet.sample;

import android.annotation.SuppressLint;
import android.media.AudioAttributes;
import android.media.AudioFormat;
import android.media.AudioRecord;
import android.media.AudioTrack;
import android.media.MediaRecorder;
import android.os.Process;
import java.nio.ByteBuffer;
import org.percepnet.Percepnet;

/**
 * Records, suppresses and plays until it is stopped, in a thread of its own: one buffer of 10 ms
 * goes round, and nothing is allocated on the way.
 */
final class Loop implements AutoCloseable {
    private static final int RATE_HZ = 48000;

    /** What the system is to hold at each end: a few frames, that a late turn is not heard. */
    private static final int FRAMES_HELD = 8;

    private final Percepnet percepnet = new Percepnet(RATE_HZ);
    private final Thread thread = new Thread(this::run, "percepnet");
    private volatile boolean stopped;
    private volatile boolean suppressing = true;

    void start() {
        thread.start();
    }

    /** Off, the microphone is heard as it is, as late as before. */
    void setSuppressing(boolean on) {
        suppressing = on;
        percepnet.setStrength(on ? Percepnet.STRENGTH_FULL : 0);
    }

    boolean isSuppressing() {
        return suppressing;
    }

    float voiceProbability() {
        return percepnet.getVoiceProbability();
    }

    String isa() {
        return percepnet.getIsa();
    }

    /** Stops, waits for the last frame, and gives microphone and speaker back. */
    @Override
    public void close() {
        stopped = true;
        try {
            thread.join();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        percepnet.close();
    }

    private void run() {
        Process.setThreadPriority(Process.THREAD_PRIORITY_URGENT_AUDIO);
        ByteBuffer frame = ByteBuffer.allocateDirect(percepnet.getFrameBytes());
        AudioRecord microphone = openMicrophone(frame.capacity() * FRAMES_HELD);
        try {
            AudioTrack speaker = openSpeaker(frame.capacity() * FRAMES_HELD);
            try {
                pass(microphone, speaker, frame);
            } finally {
                speaker.release();
            }
        } finally {
            microphone.release();
        }
    }

    private void pass(AudioRecord microphone, AudioTrack speaker, ByteBuffer frame) {
        microphone.startRecording();
        speaker.play();
        while (!stopped && fill(microphone, frame)) {
            percepnet.process(frame, frame);
            speaker.write(frame, frame.remaining(), AudioTrack.WRITE_BLOCKING);
        }
    }

    /** Waits for a whole frame. Returns false when the microphone is gone. */
    private static boolean fill(AudioRecord microphone, ByteBuffer frame) {
        frame.clear();
        while (frame.hasRemaining()) {
            int bytes = microphone.read(frame, frame.remaining(), AudioRecord.READ_BLOCKING);
            if (bytes <= 0) {
                return false;
            }
            frame.position(frame.position() + bytes);
        }
        frame.flip();
        return true;
    }

    /**
     * The source leaves the sound as it is where the phone can do that: another suppressor before
     * this one would spoil what the network knows.
     */
    @SuppressLint("MissingPermission") // the activity starts no loop without it
    private static AudioRecord openMicrophone(int bytes) {
        int least =
                AudioRecord.getMinBufferSize(
                        RATE_HZ, AudioFormat.CHANNEL_IN_MONO, AudioFormat.ENCODING_PCM_16BIT);
        return new AudioRecord.Builder()
                .setAudioSource(MediaRecorder.AudioSource.VOICE_RECOGNITION)
                .setAudioFormat(format(AudioFormat.CHANNEL_IN_MONO))
                .setBufferSizeInBytes(Math.max(bytes, least))
                .build();
    }

    private static AudioTrack openSpeaker(int bytes) {
        int least =
                AudioTrack.getMinBufferSize(
                        RATE_HZ, AudioFormat.CHANNEL_OUT_MONO, AudioFormat.ENCODING_PCM_16BIT);
        return new AudioTrack.Builder()
                .setAudioAttributes(
                        new AudioAttributes.Builder()
                                .setUsage(AudioAttributes.USAGE_MEDIA)
                                .setContentType(AudioAttributes.CONTENT_TYPE_SPEECH)
                                .build())
                .setAudioFormat(format(AudioFormat.CHANNEL_OUT_MONO))
                .setBufferSizeInBytes(Math.max(bytes, least))
                .setPerformanceMode(AudioTrack.PERFORMANCE_MODE_LOW_LATENCY)
                .build();
    }

    private static AudioFormat format(int channels) {
        return new AudioFormat.Builder()
                .setEncoding(AudioFormat.ENCODING_PCM_16BIT)
                .setSampleRate(RATE_HZ)
                .setChannelMask(channels)
                .build();
    }
}
