"""The command line: each file in kit/verbs is one verb, its `command` a click object."""

import difflib
import errno
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from kit import console, process
from kit.errors import KitError

EXIT_WRONG_USE = 2
EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141
_VERBS = Path(__file__).parent / "verbs"


class _Verbs(click.Group):
    """A group whose commands are files: found by name, imported only when used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        stems = [path.stem for path in _VERBS.glob("*.py") if not path.stem.startswith("_")]
        return sorted(stem.replace("_", "-") for stem in stems)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command = importlib.import_module(f"kit.verbs.{cmd_name.replace('-', '_')}").command
        command.name = cmd_name
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        verbs = self.list_commands(ctx)
        if args and not args[0].startswith("-") and args[0] not in verbs:
            near = difflib.get_close_matches(args[0], verbs, n=2, cutoff=0.5)
            meant = f"did you mean {' or '.join(f'`{name}`' for name in near)}?\n" if near else ""
            raise KitError(f"unknown verb `{args[0]}`", hint=f"{meant}verbs: {', '.join(verbs)}")
        return super().resolve_command(ctx, args)


@click.command(
    cls=_Verbs,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: ./tools/percepnet targets",
)
@click.option("-v", "--verbose", is_flag=True, help="Show every command that is run.")
@click.option("--dry-run", is_flag=True, help="Show the commands, run none.")
def cli(verbose: bool, dry_run: bool) -> None:
    """PercepNet, a real-time noise suppressor, on phones and ARM boards."""
    process.dry_run = False
    if verbose or dry_run:
        process.show_commands(run_them=not dry_run)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line (sys.argv when None); its exit code. Mistakes end as one clear message."""
    try:
        outcome = cli.main(arguments, prog_name="percepnet", standalone_mode=False)
        sys.stdout.flush()
        return outcome if isinstance(outcome, int) else 0
    except KitError as mistake:
        console.error(mistake.message, mistake.hint)
        return mistake.exit_code
    except click.exceptions.NoArgsIsHelpError as help_wanted:
        console.info(help_wanted.format_message())
        return EXIT_WRONG_USE
    except click.ClickException as mistake:
        context = getattr(mistake, "ctx", None)
        path = context.command_path if context else "percepnet"
        console.error(_sentence(mistake.format_message()), f"see: {path} --help")
        return EXIT_WRONG_USE
    except (click.Abort, KeyboardInterrupt):
        console.error("interrupted")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Nobody reads on: whatever is still in the buffer would only fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE
    except OSError as trouble:
        console.error(_os_error(trouble))
        return EXIT_WRONG_USE


def _sentence(text: str) -> str:
    """click's wording in ours: no capital, no full stop."""
    return text[:1].lower() + text[1:].rstrip(".")


def _os_error(trouble: OSError) -> str:
    where = f": {trouble.filename}" if trouble.filename else ""
    if trouble.errno == errno.ENOSPC:
        return f"no space left on the disk{where}"
    return f"{_sentence(trouble.strerror or str(trouble))}{where}"
