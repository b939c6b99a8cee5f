package org.percepnet.sample;

import android.Manifest;
import android.app.Activity;
import android.content.pm.PackageManager;
import android.os.Bundle;
import android.os.Handler;
import android.os.Looper;
import android.view.Gravity;
import android.widget.Button;
import android.widget.LinearLayout;
import android.widget.TextView;
import java.util.Locale;
import org.percepnet.Percepnet;

/** One button to start and stop, one to compare, and what the suppressor says. */
public final class MainActivity extends Activity {
    private static final int ASKED = 1;
    private static final int REFRESH_MS = 100;

    private final Handler handler = new Handler(Looper.getMainLooper());
    private Button startButton;
    private Button suppressButton;
    private TextView status;
    private Loop loop;

    @Override
    protected void onCreate(Bundle saved) {
        super.onCreate(saved);
        startButton = new Button(this);
        startButton.setOnClickListener(view -> toggle());
        suppressButton = new Button(this);
        suppressButton.setOnClickListener(view -> compare());
        status = new TextView(this);
        status.setGravity(Gravity.CENTER);
        LinearLayout layout = new LinearLayout(this);
        layout.setOrientation(LinearLayout.VERTICAL);
        layout.setGravity(Gravity.CENTER);
        layout.addView(startButton);
        layout.addView(suppressButton);
        layout.addView(status);
        setContentView(layout);
        show();
    }

    /** An app that is not seen does not listen. */
    @Override
    protected void onStop() {
        stop();
        super.onStop();
    }

    @Override
    public void onRequestPermissionsResult(int code, String[] permissions, int[] answers) {
        if (answers.length > 0 && answers[0] == PackageManager.PERMISSION_GRANTED) {
            start();
        } else {
            status.setText("There is nothing to hear without the microphone.");
        }
    }

    private void toggle() {
        if (loop != null) {
            stop();
        } else if (checkSelfPermission(Manifest.permission.RECORD_AUDIO)
                == PackageManager.PERMISSION_GRANTED) {
            start();
        } else {
            requestPermissions(new String[] {Manifest.permission.RECORD_AUDIO}, ASKED);
        }
    }

    private void start() {
        loop = new Loop();
        loop.start();
        show();
    }

    private void stop() {
        if (loop != null) {
            loop.close();
            loop = null;
        }
        show();
    }

    private void compare() {
        if (loop != null) {
            loop.setSuppressing(!loop.isSuppressing());
            show();
        }
    }

    private void show() {
        handler.removeCallbacksAndMessages(null);
        boolean running = loop != null;
        startButton.setText(running ? "Stop" : "Listen (with headphones)");
        suppressButton.setEnabled(running);
        suppressButton.setText(running && !loop.isSuppressing() ? "Suppress noise" : "Compare");
        status.setText(running ? describe() : "PercepNet " + Percepnet.getVersion());
        if (running) {
            handler.postDelayed(this::show, REFRESH_MS);
        }
    }

    private String describe() {
        float percent = 100 * loop.voiceProbability();
        return String.format(Locale.ROOT, "voice %.0f %%, kernels: %s", percent, loop.isa());
    }
}
