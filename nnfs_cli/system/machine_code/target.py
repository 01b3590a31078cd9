"""The processor that machine code is for: this one."""

from __future__ import annotations

import functools
from typing import Any

import llvmlite.binding as llvm


@functools.cache
def target_machine() -> Any:
    """Return LLVM's description of this processor, for code that is loaded into this process."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple()
    static = target.triple.startswith(("x86", "i686"))
    return target.create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=processor_features(),
        opt=3,
        reloc="static" if static else "default",
        codemodel="jitdefault",
        jit=True,
    )


@functools.cache
def processor_features() -> str:
    """Return the instruction sets of this processor, in LLVM's notation."""
    return str(llvm.get_host_cpu_features().flatten())


def processor() -> str:
    """Return a text that is the same for processors that can run the same code."""
    return f"{llvm.get_process_triple()} {llvm.get_host_cpu_name()} {processor_features()}"
