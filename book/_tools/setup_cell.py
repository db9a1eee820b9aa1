# @title Set-up: run this cell first { display-mode: "form" }
import importlib.metadata as dists, importlib.util
import pathlib, re, subprocess, sys, tempfile, warnings
if importlib.util.find_spec("unmix_lite") is None:  # from the checkout, if this lies in one
    above = pathlib.Path.cwd().parent
    local = (above / "pyproject.toml").is_file() and (above / "unmix_lite").is_dir()
    source = ["-e", str(above)] if local else ["git+{repository}@{branch}"]
    keep = {"torch", "torchaudio", "torchvision", "numpy", "scipy"}  # stay as they are
    pins = [f"{d.name}=={d.version}\n" for d in dists.distributions() if d.name in keep]
    file = pathlib.Path(tempfile.mkdtemp(), "pins.txt"); file.write_text("".join(pins))
    pip = [sys.executable, "-m", "pip", "-q", "install", "-c", str(file), *source]
    if (done := subprocess.run(pip, capture_output=True, text=True)).returncode:
        why = (re.findall(r"(?:ERROR|fatal): [^\x1b\n]+", done.stderr) or ["pip failed"])[-1]
        warnings.filterwarnings("ignore", "To exit")  # IPython's advice would hide the reason
        raise SystemExit(f"No unmix_lite: {why}. Is there a network? Then run this cell again.")
    sys.path += [str(above)] * local; importlib.invalidate_caches()
import torch, unmix_lite
device = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
print(f"unmix_lite {dists.version('unmix-lite')}, torch {torch.__version__}, on {device}")
