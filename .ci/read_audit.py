"""What pip-audit found, in one line a package; exit code 1 for a known vulnerability.

Where the package index has no advisories, as mirrors often don't, every package is "skipped": then so is the audit."""

import json
import sys
from pathlib import Path

text = Path(sys.argv[1]).read_text()
packages = json.loads(text)["dependencies"] if text else []
known = [package for package in packages if "skip_reason" not in package]
bad = [package for package in known if package["vulns"]]
if not known:
    sys.stdout.write("pip-audit: skipped, no source of advisories can be reached here\n")
for package in bad:
    names = ", ".join(found["id"] for found in package["vulns"])
    sys.stdout.write(f"pip-audit: {package['name']} {package['version']} has {names}\n")
if known and not bad:
    sys.stdout.write(f"pip-audit: nothing known against {len(known)} packages\n")
sys.exit(bool(bad))
