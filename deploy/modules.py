"""The modules of a package, imported."""

import importlib
import pkgutil
from types import ModuleType


def submodules(package: ModuleType) -> list[ModuleType]:
    return [
        importlib.import_module(f"{package.__name__}.{found.name}") for found in pkgutil.iter_modules(package.__path__)
    ]
