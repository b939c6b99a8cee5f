"""The state of a Linux device: read from what its shell says, and nothing invented."""

import subprocess

from kit.device.vitals import DISTURBED, SCRIPT, parse_vitals

PHONE = """kernel Linux 5.10.66-android12
product Pixel 6
android 14
cores 4 5
governor sched_pixel
hardware_khz 2253000
allowed_khz 2253000
now_khz 1197000
cores 0 1 2 3
governor sched_pixel
hardware_khz 1803000
allowed_khz 1803000
now_khz 738000
cores 6 7
governor sched_pixel
hardware_khz 2802000
allowed_khz 1106000
now_khz 1106000
heat 41500
sensor skin
heat broken
sensor battery
heat -3000
sensor outside
status 2
"""


def test_clusters_are_named_from_the_slowest_to_the_fastest() -> None:
    clusters = parse_vitals(PHONE).clusters
    assert [(c.name, c.cpus, c.mask) for c in clusters] == [
        ("little", (0, 1, 2, 3), "f"),
        ("mid", (4, 5), "30"),
        ("big", (6, 7), "c0"),
    ]
    assert str(clusters[1]) == "cpu 4,5; 1197 of 2253 MHz; governor sched_pixel"


def test_a_cluster_whose_cores_are_off_is_left_out() -> None:
    off = PHONE.replace("cores 4 5\n", "cores \n")
    assert [(c.name, c.cpus) for c in parse_vitals(off).clusters] == [
        ("little", (0, 1, 2, 3)),
        ("big", (6, 7)),
    ]


def test_heat_is_in_degrees_and_a_broken_sensor_is_left_out() -> None:
    assert parse_vitals(PHONE).temperatures == {"skin": 41.5, "outside": -3.0}


def test_a_clock_held_down_and_a_throttled_device_are_disturbances() -> None:
    assert parse_vitals(PHONE).disturbances() == [
        "cluster big may run at 1106 of 2802 MHz only",
        "the device throttles: thermal status 2",
    ]
    assert parse_vitals(PHONE).describe()[DISTURBED].startswith("cluster big may run at")
    calm = PHONE.replace("allowed_khz 1106000", "allowed_khz 2802000").replace("status 2", "")
    assert parse_vitals(calm).disturbances() == []
    assert DISTURBED not in parse_vitals(calm).describe()


def test_what_is_not_told_is_said_to_be_missing() -> None:
    lines = parse_vitals("kernel Linux 6.1\n").describe()
    assert lines == {
        "kernel": "Linux 6.1",
        "clocks": "not told: no cpufreq in /sys/devices/system/cpu",
        "temperature": "not told: no /sys/class/thermal",
    }


def test_files_that_may_not_be_read_leave_their_figures_empty() -> None:
    text = "cores 0 1\ngovernor \nhardware_khz 1800000\nallowed_khz \nnow_khz \n"
    (cluster,) = parse_vitals(text).clusters
    assert (cluster.name, cluster.governor, cluster.now_khz) == ("all", "", 0)
    assert str(cluster) == "cpu 0,1; clock not told, up to 1800 MHz; governor not told"


def test_more_clusters_than_names_are_called_by_their_cores() -> None:
    text = "".join(
        f"cores {cpu}\ngovernor x\nhardware_khz {cpu + 1}\nallowed_khz 0\nnow_khz 0\n"
        for cpu in range(4)
    )
    assert [c.name for c in parse_vitals(text).clusters] == ["cpu0", "cpu1", "cpu2", "cpu3"]


def test_the_script_runs_in_the_shell_of_this_computer() -> None:
    done = subprocess.run(["sh", "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert parse_vitals(done.stdout).facts["kernel"].startswith("Linux ")
