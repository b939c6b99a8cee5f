"""Everything that is built for one target: libraries, programs, tests, reports."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from SCons.Script import Action, Environment

from kit.errors import KitError, TargetError
from kit.paths import C_TESTS, ENDURANCE_TESTS, FIRMWARE, FUZZ_TESTS, MODELS, ROOT
from kit.scons import compile_commands, generated, jni, sizes, sources
from kit.scons.environment import (
    FUZZ,
    PROFILE,
    RELEASE,
    build_folder,
    command_by_full_name,
    make_environment,
    object_name,
)
from kit.target import Target, Toolchain, load_target, load_toolchain

NO_MODEL = "none"
# Programs that `percepnet` for a phone's shell is made of.
_SHELL_PARTS = ("denoise_file", "denoise_stream", "selftest", "bench")


class TargetBuild:
    """SCons nodes of one target. Raises KitError for what is wrong before compiling."""

    def __init__(self, name: str, model: str, below: str, verbose: bool) -> None:
        self.target = load_target(name)
        self.toolchain = load_toolchain(self.target.toolchain)
        self.folder = build_folder(self.target, below)
        self.model = find_model(self.target, model)
        self.kernels = sources.kernels(self.target)
        self.shell_toolchain = shell_toolchain(self.target, self.toolchain)
        self._verbose = verbose
        self._environments: dict[tuple[str, str], Environment] = {}
        self._libraries: dict[str, Any] = {}
        self._lent: dict[str, list[Any]] | None = None
        self._objects: dict[str, Any] = {}
        self.release = self._environment(RELEASE)
        self._generate()
        oracle = sources.c_files(FIRMWARE / "oracle")
        self.shared_library = self._shared_library(RELEASE, oracle)

    def everything(self) -> list[Any]:
        """What `scons NAME` builds."""
        apps = sources.apps(self.target) if self.model else []
        shell = self._shell_program() if self.target.android and self.model else []
        library = self.jni_library() if self.toolchain.android else []
        programs = [*(self._program(RELEASE, path, "") for path in apps), *shell, *library[:1]]
        report = sizes.report(self.release, self.target, programs) if programs else []
        return [
            self._library(RELEASE),
            self.shared_library,
            programs,
            library,
            self._generated,
            report,
            compile_commands.database(self.release, list(self._objects.values())),
        ]

    def profile(self) -> list[Any]:
        """The program and the library with probes; nothing without a model."""
        if PROFILE not in self.toolchain.variants or not self.model:
            return []
        probe = FIRMWARE / "profile" / "pn_probe.c"
        program = self._program(PROFILE, FIRMWARE / "profile" / "profile.c", "", [probe])
        return [program, self._shared_library(PROFILE, [probe])]

    def trials(self) -> list[Any]:
        """Programs that look for undefined behaviour, in every variant that is not for another
        purpose: those of tests/endurance, and the C tests.
        """
        paths = [*sources.c_files(ENDURANCE_TESTS), *sources.c_tests(self.model is not None)]
        variants = [v for v in self.toolchain.variants if v not in (PROFILE, FUZZ)]
        return [self._program(v, path, "tests/") for v in variants for path in paths]

    def fuzz_targets(self) -> list[Any]:
        """Programs of tests/fuzz. Raises KitError where the toolchain has no libFuzzer."""
        if FUZZ not in self.toolchain.variants:
            raise KitError(
                f"toolchain `{self.toolchain.name}` has no variant `{FUZZ}`",
                hint=f"for example: scons fuzz-{self.target.name}+clang_x86_64",
            )
        return [self._program(FUZZ, path, "") for path in sources.c_files(FUZZ_TESTS)]

    def jni_library(self) -> list[Any]:
        """libpercepnet.so for Java and Android, and with symbols; nothing without a model."""
        if not self.model:
            return []
        return jni.jni_library(self.release, self.toolchain, self._library_objects(RELEASE))

    def run_tests(self) -> Any:
        """Sources and action of an alias: all C tests in all variants, built and run."""
        paths = sources.c_tests(self.model is not None)
        programs = [
            self._program(variant, path, "tests/")
            for variant in self.target.variants
            for path in paths
        ]

        def run(target: list[Any], source: list[Any], env: Environment) -> int:
            from kit.runner import run_programs

            return run_programs(self.target, [Path(node.abspath) for node in source])

        return programs, Action(run, f"  test  {self.target.name}")

    def _environment(self, variant: str, shell: bool = False) -> Environment:
        """The environment of a variant; shell: of programs, where that is another compiler."""
        toolchain = self.shell_toolchain if shell else self.toolchain
        key = variant, toolchain.name
        if key not in self._environments:
            folder, verbose = self.folder, self._verbose
            env = make_environment(self.target, toolchain, variant, folder, verbose)
            self._environments[key] = env
            if toolchain.without_ndk:
                env.Append(**self._stand_ins())
        return self._environments[key]

    def _stand_ins(self) -> dict[str, list[Any]]:
        """What Android's compiler lacks without an NDK; made once, used by all variants."""
        if self._lent is None:
            self._lent = jni.stand_ins(
                self._environment(RELEASE), self.target, self.shell_toolchain
            )
        return self._lent

    def _generate(self) -> None:
        env, target = self.release, self.target
        self._tables = generated.tables(env)
        self._generated = [
            *self._tables,
            generated.kernel_list(env, self.kernels),
            generated.build_info(env, target, sources.firmware_id(target, self.toolchain)),
        ]
        self._model = generated.model(env, target, self.model) if self.model else []
        self._generated += self._model
        self._script = generated.linker_script(env, target) if target.memory else None

    def _variant_folder(self, variant: str) -> str:
        return self.folder if variant == RELEASE else f"{self.folder}/{variant}"

    def _object(
        self,
        variant: str,
        source: Any,
        name: str,
        flags: tuple[str, ...] = (),
        shell: bool = False,
        is_generated: bool = False,
    ) -> Any:
        output = f"{self._variant_folder(variant)}/obj/{name}"
        if output not in self._objects:
            env = self._environment(variant, shell)
            changed: dict[str, Any] = {"CCFLAGS": env["CCFLAGS"] + list(flags)}
            if is_generated:
                changed["CCCOM"] = command_by_full_name(env)
            self._objects[output] = env.Object(output, source, **changed)[0]
        return self._objects[output]

    def _compile(self, variant: str, paths: list[Path]) -> list[Any]:
        """Objects of hand-written sources, each made once per variant."""
        objects = []
        for path in paths:
            flags = self.shell_toolchain.test_cflags if path.is_relative_to(C_TESTS) else ()
            shell = not sources.is_library(path)
            source = "#" + str(path.relative_to(ROOT))
            objects.append(self._object(variant, source, object_name(path), flags, shell))
        return objects

    def _library_objects(self, variant: str) -> list[Any]:
        generated_c = [node for node in self._tables + self._model if node.name.endswith(".c")]
        return [
            *self._compile(variant, sources.library_sources(self.model is not None)),
            *(
                self._object(variant, node, f"gen/{node.name[:-2]}.o", is_generated=True)
                for node in generated_c
            ),
            *(
                self._object(
                    variant,
                    "#" + str(kernel.path.relative_to(ROOT)),
                    object_name(kernel.path),
                    self.toolchain.isa_flags[kernel.isa],
                )
                for kernel in self.kernels
            ),
        ]

    def _library(self, variant: str) -> Any:
        if variant not in self._libraries:
            path = f"{self._variant_folder(variant)}/libpercepnet.a"
            objects = self._library_objects(variant)
            self._libraries[variant] = self._environment(variant).StaticLibrary(path, objects)[0]
        return self._libraries[variant]

    def _shared_library(self, variant: str, more: list[Path]) -> list[Any]:
        """libpercepnet.so with more sources and the port, for the Python side of targets that have
        one."""
        if not self.target.shared_library:
            return []
        objects = self._library_objects(variant)
        objects += self._compile(variant, [*more, *sources.port_sources(self.target)])
        library = f"{self._variant_folder(variant)}/libpercepnet.so"
        return self._environment(variant).SharedLibrary(library, objects)

    def _program(self, variant: str, path: Path, subfolder: str, more: Sequence[Path] = ()) -> Any:
        env = self._environment(variant, shell=True)
        objects = self._compile(variant, [path, *more, *sources.port_sources(self.target)])
        library = self._library(variant)
        output = (
            f"{self._variant_folder(variant)}/{subfolder}{path.stem}{self.target.program_suffix}"
        )
        script = ["-T", str(self._script)] if self._script else []
        program = env.Program(
            output, objects, LIBS=[library, *env["LIBS"]], LINKFLAGS=env["LINKFLAGS"] + script
        )
        if self._script:
            env.Depends(program, self._script)
        return program[0]

    def _shell_program(self) -> list[Any]:
        """`percepnet`: the programs of firmware_src/apps as one."""
        env = self._environment(RELEASE, shell=True)
        parts = [
            env.Object(
                f"{self.folder}/obj/android/shell/{name}.o",
                f"#firmware_src/apps/{name}.c",
                CPPDEFINES={**env["CPPDEFINES"], "main": f"pn_main_{name}"},
            )
            for name in _SHELL_PARTS
        ]
        own = [FIRMWARE / "android" / "shell" / "percepnet.c"]
        objects = [*parts, *self._compile(RELEASE, own + sources.port_sources(self.target))]
        libraries = [self._library(RELEASE), *env["LIBS"]]
        return env.Program(f"{self.folder}/percepnet", objects, LIBS=libraries)


def shell_toolchain(target: Target, toolchain: Toolchain) -> Toolchain:
    """What compiles the programs, where it is not what compiles the library."""
    return load_toolchain(target.android.shell_toolchain) if toolchain.android else toolchain


def find_model(target: Target, option: str) -> Path | None:
    """The .tflite file to build in, of `model=` or the target's own; None when left out."""
    if option == NO_MODEL:
        return None
    path = Path(option).resolve() if option else MODELS / f"{target.model}.tflite"
    if path.is_file():
        return path
    if option:
        raise KitError(f"model file `{option}` does not exist")
    known = ", ".join(sorted(found.stem for found in MODELS.glob("*.tflite"))) or "none yet"
    raise TargetError(
        f"target `{target.name}` names the model `{target.model}`: no {path.relative_to(ROOT)}",
        hint=f"models: {known}; or say model=FILE.tflite, or model=none to leave the network out",
    )
