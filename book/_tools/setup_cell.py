# @title Set-up: run this cell first { display-mode: "form" }
import importlib.metadata as dists, importlib.util
import pathlib, re, subprocess, sys, tempfile, warnings
if None in map(importlib.util.find_spec, ("unmix_lite", "musdb")):
    inside = "unmix_lite/__init__.py"  # of the checkout, if this is in one
    above = next((folder for folder in pathlib.Path.cwd().parents
                  if (folder / inside).is_file()), None)
    home = "git+{repository}@{branch}"
    remote = [f"unmix-lite[course] @ {home}"]
    source = ["-e", f"{above}[course]"] if above else remote
    keep = {"torch", "torchaudio", "torchvision", "numpy", "scipy"}
    pins = [f"{dist.name}=={dist.version}\n"  # these stay as they are
            for dist in dists.distributions() if dist.name in keep]
    file = pathlib.Path(tempfile.mkdtemp(), "pins.txt")
    file.write_text("".join(pins))
    pip = [sys.executable, "-m", "pip", "install", "-c", str(file)]
    done = subprocess.run(pip + source, capture_output=True, text=True)
    if done.returncode:
        said = re.findall(r"(?:ERROR|fatal): [^\x1b\n]+", done.stderr)
        why = f"{(said or ['pip failed'])[-1]}. Is there a network? Then"
        fixed = r"depends on (.+)\n.+ \(constraint\) (.+)"
        if old := re.search(fixed, done.stdout):
            why = (f"it needs {old[1]}, and {old[2]} is installed. "
                   "Update that, restart the kernel and")
        # IPython's advice would hide the reason.
        warnings.filterwarnings("ignore", "To exit")
        raise SystemExit(f"No unmix_lite: {why} run this cell again.")
    sys.path += [str(above)] if above else []
    importlib.invalidate_caches()
import torch, unmix_lite
cuda = torch.cuda.is_available()
device = torch.cuda.get_device_name() if cuda else "CPU"
print(f"unmix_lite {dists.version('unmix-lite')}, "
      f"torch {torch.__version__}, on {device}")
