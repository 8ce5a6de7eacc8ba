"""The build. With ORDINIS_COMPILED=1 the modules on the path of an order become native code: the same source, by mypyc.

    make compiled

A C compiler is needed, and the development tools. Without the variable, and in an editable installation, nothing is
compiled. Which modules: `modules` in pyproject.toml, less those that define msgspec structs, which are native already
and cannot be compiled.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

STRUCT = re.compile(r"^class \w+\((msgspec\.)?Struct\b", re.MULTILINE)
# Never a fused multiply-add: the figures are those of the interpreter, to the last bit.
COMPILER_FLAGS = ["-ffp-contract=off"]


class CompiledModules(BuildHookInterface[Any]):
    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel" or version == "editable" or os.environ.get("ORDINIS_COMPILED") != "1":
            return
        self._folder = TemporaryDirectory(prefix="ordinis-")
        folder = Path(self._folder.name)
        _compile(self._modules(), folder)
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        libraries = [path for path in (folder / "lib").rglob("*") if path.suffix in (".so", ".pyd")]
        build_data["force_include"] |= {str(path): str(path.relative_to(folder / "lib")) for path in libraries}

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        if hasattr(self, "_folder"):
            self._folder.cleanup()

    def _modules(self) -> list[str]:
        root = Path(self.root)
        found = {path for pattern in self.config["modules"] for path in root.glob(pattern)}
        found -= {root / path for path in self.config["interpreted"]}
        return [str(path.relative_to(root)) for path in sorted(found) if not STRUCT.search(path.read_text())]


def _compile(modules: list[str], folder: Path) -> None:
    """C sources, objects and libraries under `folder`, the libraries under lib/ by package."""
    from mypyc.build import mypycify
    from setuptools import Distribution
    from setuptools.errors import CCompilerError

    extensions = mypycify(modules, opt_level="1", group_name="ordinis", target_dir=str(folder / "c"))
    for extension in extensions:
        extension.extra_compile_args = [*extension.extra_compile_args, *COMPILER_FLAGS]
    build = Distribution({"ext_modules": extensions}).get_command_obj("build_ext")
    build.build_lib, build.build_temp = str(folder / "lib"), str(folder / "objects")
    build.parallel = os.cpu_count()
    build.ensure_finalized()
    try:
        build.run()
    except CCompilerError as error:
        raise SystemExit(
            f"{error}\nCompiling needs a C compiler and Python's headers: on Debian, gcc and python3-dev"
        ) from error
