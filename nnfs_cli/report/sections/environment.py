"""When, where and with what a run was trained: all of the page that depends on the machine and the time of day."""

from __future__ import annotations

from nnfs_cli.report.blocks import Facts, Section
from nnfs_cli.report.run_facts import RunFacts


def environment(facts: RunFacts) -> Section | None:
    """Return versions, machine, times and resumptions."""
    about, rows = facts.environment, list[tuple[str, str]]()
    for label in ("begun", "since"):
        if moment := facts.status.get(label):
            rows.append(({"since": facts.state}.get(label, label), str(moment)[:19].replace("T", " ") + " UTC"))
    if facts.log is not None:
        rows.append(("training time", f"{facts.log['seconds'][-1]:,.1f} s" if "seconds" in facts.log else "unknown"))
    for session in facts.lineage:
        rows.append(("resumed", f"after epoch {session['epoch']:,}, up to epoch {session['epochs']:,}"))
    rows += [(label, str(about[label])) for label in ("python", "platform", "processor") if about.get(label)]
    if about.get("cores"):
        rows.append(("cores", f"{about['cores']}, of which training may use {about.get('threads') or 'all'}"))
    if facts.config is not None:
        rows.append(("engine", facts.config.engine))
    for label in ("blas", "packages", "variables"):
        if isinstance(found := about.get(label), dict) and found:
            rows.append((label, ", ".join(f"{name} {version}" for name, version in found.items())))
    if about.get("git_commit"):
        rows.append(("git commit", str(about["git_commit"])))
    return Section("environment", "Environment and time", [Facts(rows)]) if rows else None
