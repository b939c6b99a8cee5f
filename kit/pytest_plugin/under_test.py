"""What tests do with a device: start a program, read what it says, measure."""

from collections.abc import Mapping
from pathlib import Path

from kit.build import build, program_path
from kit.devtest.protocol import Report, read_report
from kit.measure import Costs, costs_of
from kit.runner import Capabilities, Runner, Session
from kit.runner._session import start_program
from kit.target import Target


class DeviceUnderTest:
    """A device that is there, ready and held. All methods raise KitError for what goes wrong on it.

    A program is built and written to the device when it is first asked for, and again only after
    another one has been there.
    """

    def __init__(self, runner: Runner) -> None:
        self.runner = runner
        self._is_built = False
        self._flashed: Path | None = None

    @property
    def name(self) -> str:
        """As the device map has it."""
        return self.runner.name

    @property
    def target(self) -> Target:
        """What is built for it."""
        return self.runner.target

    @property
    def capabilities(self) -> Capabilities:
        """What can be expected: whether times mean anything, whether there is an exit code ..."""
        return self.runner.capabilities

    def environment(self) -> Mapping[str, str]:
        """Processor, clock, temperature ... now, by name."""
        return self.runner.environment()

    def build(self, model: str = "") -> None:
        """Build the device's programs. model: a .tflite file instead of the target's own.

        Whoever does not call this gets the target's own model.
        """
        build(self.target.name, model)
        self._is_built, self._flashed = True, None

    def flash(self, app: str = "selftest") -> Path:
        """Write a program to the device and verify it; nothing if it is there.

        Returns the program's path on this computer.
        """
        if not self._is_built:
            self.build()
        program = program_path(self.target, app)
        if self.capabilities.flash and self._flashed != program:
            self._flashed = None
            self.runner.flash(program)
            self._flashed = program
        return program

    def start(
        self, app: str = "selftest", *arguments: str, settings: Mapping[str, str] | None = None
    ) -> Session:
        """Start a program: `lines()`, `write()`, `read_exact()` of what is returned talk to it.

        settings: PN_NAME and value. To be used with `with`: its end is awaited, or, after an
        error, brought about.
        """
        program = self.flash(app)
        return start_program(self.runner, program, arguments, settings or {}, flash=False)

    def run(
        self, app: str = "selftest", *arguments: str, settings: Mapping[str, str] | None = None
    ) -> Report:
        """Run a program to its end and return the report of its tests and measurements."""
        with self.start(app, *arguments, settings=settings) as session:
            return read_report(session.lines(), session.run_id)

    def bench(self, settings: Mapping[str, str] | None = None) -> Costs:
        """What a frame costs, by stage: instructions on an emulated board, ns on a real one."""
        return costs_of(self.run("bench", settings=settings))
