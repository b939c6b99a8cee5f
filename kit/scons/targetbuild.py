"""Everything that is built for one target: libraries, programs, tests, reports."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from SCons.Script import Action, Environment

from kit.errors import KitError, TargetError
from kit.paths import C_TESTS, FIRMWARE, MODELS, ROOT
from kit.scons import generated, jni, sizes, sources
from kit.scons.environment import PROFILE, RELEASE, build_folder, make_environment, object_name
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
        self.model = _model_path(self.target, model)
        self.kernels = sources.kernels(self.target, self.toolchain)
        self.shell_toolchain = _shell_toolchain(self.target, self.toolchain)
        self.environments = self._make_environments(self.toolchain, verbose)
        self.shell_environments = self.environments
        if self.shell_toolchain is not self.toolchain:
            self.shell_environments = self._make_environments(self.shell_toolchain, verbose)
        self._add_stand_ins()
        self.release = self.environments[RELEASE]
        self._objects: dict[tuple[str, Path], Any] = {}
        self._generate()
        self.libraries = {variant: self._library(variant) for variant in self.environments}
        apps = sources.apps(self.target) if self.model else []
        self.apps = [self._program(RELEASE, path, "") for path in apps]
        self.tests = {
            variant: [
                self._program(variant, path, "tests/")
                for path in sources.c_tests(self.model is not None)
            ]
            for variant in self.target.variants
        }
        oracle = sources.c_files(FIRMWARE / "oracle")
        self.shared_library = self._shared_library(RELEASE, oracle)
        self.shell = self._shell_program() if self.target.android and self.model else []
        self.jni = self.jni_library() if self.toolchain.android else []

    def everything(self) -> list[Any]:
        """What `scons target=NAME` builds."""
        database = self.release.CompilationDatabase(f"#{self.folder}/compile_commands.json")
        programs = [*self.apps, *self.shell, *self.jni[:1]]
        report = sizes.report(self.release, self.target, programs) if programs else []
        return [
            self.libraries[RELEASE],
            self.shared_library,
            programs,
            self.jni,
            self._generated,
            report,
            database,
        ]

    def profile(self) -> list[Any]:
        """The program and the library with probes; nothing without a model."""
        if PROFILE not in self.environments or not self.model:
            return []
        probe = FIRMWARE / "profile" / "pn_probe.c"
        program = self._program(PROFILE, FIRMWARE / "profile" / "profile.c", "", [probe])
        return [program, self._shared_library(PROFILE, [probe])]

    def jni_library(self) -> list[Any]:
        """libpercepnet.so for Java and Android, and with symbols; nothing without a model."""
        if not self.model:
            return []
        return jni.jni_library(self.release, self.toolchain, self._library_objects(RELEASE))

    def run_tests(self) -> Any:
        """Sources and action of an alias: all C tests in all variants, built and run."""
        programs = [program for variant in self.tests.values() for program in variant]

        def run(target: list[Any], source: list[Any], env: Environment) -> int:
            from kit.runner import run_programs

            return run_programs(self.target, [Path(node.abspath) for node in source])

        return programs, Action(run, f"  test  {self.target.name}")

    def _make_environments(self, toolchain: Toolchain, verbose: bool) -> dict[str, Environment]:
        return {
            variant: make_environment(self.target, toolchain, variant, self.folder, verbose)
            for variant in dict.fromkeys([*self.target.variants, PROFILE])
            if variant in toolchain.variants
        }

    def _add_stand_ins(self) -> None:
        """What Android's compiler lacks without an NDK; made once, used by all variants."""
        if self.toolchain.without_ndk:
            stand_ins = jni.stand_ins(self.environments[RELEASE], self.target, self.shell_toolchain)
            for env in self.environments.values():
                env.Append(**stand_ins)

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
    ) -> Any:
        env = (self.shell_environments if shell else self.environments)[variant]
        output = f"#{self._variant_folder(variant)}/obj/{name}"
        return env.Object(output, source, CCFLAGS=env["CCFLAGS"] + list(flags))

    def _compile(self, variant: str, paths: list[Path]) -> list[Any]:
        """Objects of hand-written sources, each made once per variant."""
        for path in paths:
            if (variant, path) not in self._objects:
                source = "#" + str(path.relative_to(ROOT))
                flags = self.shell_toolchain.test_cflags if path.is_relative_to(C_TESTS) else ()
                self._objects[variant, path] = self._object(
                    variant, source, object_name(path), flags, not sources.is_library(path)
                )
        return [self._objects[variant, path] for path in paths]

    def _library_objects(self, variant: str) -> list[Any]:
        generated_c = [node for node in self._tables + self._model if node.name.endswith(".c")]
        return [
            *self._compile(variant, sources.library_sources(self.model is not None)),
            *(self._object(variant, node, f"gen/{node.name[:-2]}.o") for node in generated_c),
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
        folder = self._variant_folder(variant)
        return self.environments[variant].StaticLibrary(
            f"#{folder}/libpercepnet.a", self._library_objects(variant)
        )[0]

    def _shared_library(self, variant: str, more: list[Path]) -> list[Any]:
        """libpercepnet.so with more sources and the port, for the Python side of targets that have
        one."""
        if not self.target.shared_library:
            return []
        objects = self._library_objects(variant)
        objects += self._compile(variant, [*more, *sources.port_sources(self.target)])
        library = f"#{self._variant_folder(variant)}/libpercepnet.so"
        return self.environments[variant].SharedLibrary(library, objects)

    def _program(self, variant: str, path: Path, subfolder: str, more: Sequence[Path] = ()) -> Any:
        env = self.shell_environments[variant]
        objects = self._compile(variant, [path, *more, *sources.port_sources(self.target)])
        library = self.libraries[variant]
        output = (
            f"#{self._variant_folder(variant)}/{subfolder}{path.stem}{self.target.program_suffix}"
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
        env = self.shell_environments[RELEASE]
        parts = [
            env.Object(
                f"#{self.folder}/obj/android/shell/{name}.o",
                f"#firmware_src/apps/{name}.c",
                CPPDEFINES={**env["CPPDEFINES"], "main": f"pn_main_{name}"},
            )
            for name in _SHELL_PARTS
        ]
        own = [FIRMWARE / "android" / "shell" / "percepnet.c"]
        objects = [*parts, *self._compile(RELEASE, own + sources.port_sources(self.target))]
        libraries = [self.libraries[RELEASE], *env["LIBS"]]
        return env.Program(f"#{self.folder}/percepnet", objects, LIBS=libraries)


def _shell_toolchain(target: Target, toolchain: Toolchain) -> Toolchain:
    """What compiles the programs, where it is not what compiles the library."""
    return load_toolchain(target.android.shell_toolchain) if toolchain.android else toolchain


def _model_path(target: Target, option: str) -> Path | None:
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
