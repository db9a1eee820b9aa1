"""The training loop: Adam, and the best weights on validation songs."""

import json
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from os import PathLike
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from ..corpora import Track, other_rates, problems
from ..errors import CheckpointError, CorpusError, UnmixError
from ..files import atomic
from ..weights import save_network
from .augmentation import Parameters
from .batches import Batches, excerpts_for
from .checkpoints import Interruption, collect, load_state, restore, save_state, state_file
from .config import UNLIMITED, TrainingConfig
from .excerpts import read_ahead
from .logs import Log, tensorboard_curves
from .networks import exponential_average
from .schedule import History, best_of, is_stalled, learning_rate
from .tasks import TrainingTask, first_task
from .workers import Workers

OnValidation = Callable[[History], object]

_LOG_EVERY = 10  # steps between two points of TensorBoard's training curve


def train(
    config: TrainingConfig,
    tracks: list[Track],
    valid_tracks: list[Track],
    folder: str | PathLike[str],
    device: str | torch.device | None = None,
    progress: bool = True,
    on_validation: OnValidation | None = None,
) -> History:
    """Train one network per target, or one for all, and leave the best on validation in `folder`.

    `<target>.safetensors` is the network with the lowest validation loss, `<target>.json` the
    recipe and the curve; of one network for several targets, the name is all of them, joined.
    `<targets>.state.safetensors` is what a restart needs: calling again with the same config goes
    on from the last validation, however the last call ended, and comes to the same weights.
    `logs/` is for TensorBoard, where that is installed.

    Args:
        config: a TrainingConfig.
        tracks, valid_tracks: lists of `corpora.Track`, disjoint.
        folder: where results go.
        device: None takes a GPU where there is one.
        on_validation: called with the history after every validation, to draw it, say.

    Returns:
        the history: a list of dicts with step, seconds, learning_rate, train_loss, valid_loss, and
        valid_losses, one per target.

    Raises:
        CorpusError: songs that cannot be used, all of them named.
        CheckpointError: `folder` holds the training of another recipe.
        UnmixError: the loss became NaN.
        KeyboardInterrupt: after Ctrl-C, once the state is saved.
    """
    workers = Workers(device)
    # The random numbers of whoever calls stay what they were.
    devices = [workers.device] if workers.device.type == "cuda" else []
    with torch.random.fork_rng(devices):
        training = Training(config, tracks, valid_tracks, workers, progress and workers.is_main)
        training.resume(Path(folder))
        # Where a gradient vanishes (above 16 kHz, say) Adam's averages shrink to denormal numbers,
        # with which a CPU reckons many times slower. They are as good as zero.
        torch.set_flush_denormal(True)
        try:
            with Interruption() as interruption:
                training.run(Path(folder), interruption, on_validation)
        finally:
            torch.set_flush_denormal(False)
    return training.history


class Training:
    """A training under way: data, networks, optimiser, and how far it has come."""

    def __init__(
        self,
        config: TrainingConfig,
        tracks: list[Track],
        valid_tracks: list[Track],
        workers: Workers,
        progress: bool = True,
    ):
        self.config, self.workers, self.progress = config, workers, progress
        workers.rows(config.batch_size)  # which must divide among them
        # All that can be refused is refused before the first song is decoded.
        self.task = first_task(config).to(workers.device)
        if found := problems([*tracks, *valid_tracks], config.sources):
            raise CorpusError(found)
        if progress and (told := other_rates([*tracks, *valid_tracks], config.rate)):
            tqdm.write(told)
        self.batches = Batches(config, tracks, workers, progress)
        self.validation = excerpts_for(valid_tracks, config, 30, workers, progress)
        if not config.initial:
            self.task.listen(self.batches.excerpts)
        self.model = workers.prepare(self.task)
        self.average = exponential_average(self.task, config.average) if config.average else None
        # Fused: one pass over the weights, which on a CPU takes a quarter of the time of many.
        self.optimizer = torch.optim.Adam(
            self.task.parameters(), lr=config.learning_rate,
            weight_decay=config.weight_decay, fused=True,
        )  # fmt: skip
        # float16 alone needs it: gradients too small for it are scaled up, and down again.
        self.scaler = torch.amp.grad_scaler.GradScaler(
            workers.device.type, enabled=config.precision == "fp16"
        )
        if workers.device.type == "cuda":
            torch.set_float32_matmul_precision("high")  # TF32 in matrix products
        self.step, self.seconds = 0, 0.0
        self.losses: list[float] = []  # since the last validation
        self.history: History = []

    @property
    def fraction(self) -> float:
        """How much of the training is done, 0 to 1: of its steps, or of its minutes."""
        spent = self.seconds / (60 * self.config.minutes) if self.config.minutes else 0
        return min(1.0, max(self.step / self.config.steps, spent))

    @property
    def is_over(self) -> bool:
        """No steps, no minutes or no patience left."""
        return self.fraction >= 1 or is_stalled(self.history, self.config.patience)

    def run(
        self,
        folder: Path,
        interruption: Interruption,
        on_validation: OnValidation | None = None,
    ) -> None:
        """Take steps until it is over, validating, saving and reporting on the way."""
        config = self.config
        # Left out rather than False, which would overrule TQDM_DISABLE.
        quiet = {} if self.progress else {"disable": True}
        total = None if config.steps == UNLIMITED else config.steps
        bar = tqdm(total=total, initial=self.step, desc=config.name, unit="step", **quiet)
        reading = closing(read_ahead(self.batches.read, self.step))
        logs = folder / "logs" / config.name if self.workers.is_main else None
        with bar, tensorboard_curves(logs, self.step + 1) as log, reading as batches:
            while not self.is_over:
                began = time.monotonic()
                loss, norm = self.take_step(*next(batches))
                spent = time.monotonic() - began
                loss, spent, stop = self.workers.mean([loss, spent, interruption.requested])
                self.check(loss)
                self.step, self.seconds = self.step + 1, self.seconds + spent
                self.losses.append(loss)
                bar.update()
                bar.set_postfix(loss=f"{loss:.4f}", done=f"{self.fraction:.0%}", refresh=False)
                if self.step % _LOG_EVERY == 0:
                    numbers = {"loss/train": loss, "gradient norm": norm}
                    log(self.step, {**numbers, "seconds per step": spent})
                if self.step % config.valid_every == 0:
                    self.report(folder, log, on_validation)
                if stop:
                    self.save(folder)
                    raise KeyboardInterrupt
            if not self.history or self.history[-1]["step"] < self.step:
                self.report(folder, log, on_validation)
        if interruption.requested:  # while the last songs were being validated
            raise KeyboardInterrupt

    def report(self, folder: Path, log: Log, on_validation: OnValidation | None) -> None:
        """Validate, keep what is best, and show how it went."""
        self.validate_and_keep(folder)
        log(self.step, {"loss/valid": self.history[-1]["valid_loss"]})
        if on_validation and self.workers.is_main:
            on_validation(self.history)

    def take_step(self, stems: torch.Tensor, changes: Parameters) -> tuple[float, float]:
        """Predict, compare (eq. 4), descend; returns the loss and the gradient's norm."""
        config = self.config
        torch.manual_seed(config.seed * 1_000_003 + self.step + 7919 * self.workers.index)
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(config, self.fraction, self.history)
        stems = self.batches.augmented(stems, changes)
        self.task.train()
        self.optimizer.zero_grad()
        loss = self.model(stems).mean()
        self.scaler.scale(loss).backward()
        self.scaler.unscale_(self.optimizer)
        norm = torch.nn.utils.clip_grad_norm_(self.task.parameters(), config.clip or float("inf"))
        self.scaler.step(self.optimizer)
        self.scaler.update()
        if self.average is not None:
            self.average.update_parameters(self.task)
        return loss.item(), norm.item()

    def check(self, loss: float) -> None:
        """Raise an UnmixError if the loss is not a number any more."""
        if not np.isfinite(loss):
            raise UnmixError(
                f"the loss is {loss} at step {self.step}; the last good state is kept: lower the "
                "learning rate and start again."
            )

    @property
    def result(self) -> TrainingTask:
        """The task whose networks are validated and kept: the running mean, if there is one."""
        return self.task if self.average is None else cast(TrainingTask, self.average.module)

    @property
    def networks(self) -> nn.ModuleDict:
        """Dict name -> network, as they are being trained."""
        return self.task.networks

    @torch.inference_mode()
    def validate(self) -> list[float]:
        """Mean loss per target over whole, untouched validation songs."""
        task = self.result.eval()
        sums, samples = torch.zeros(len(self.config.targets), dtype=torch.float64), 0
        for index in range(self.workers.index, len(self.validation), self.workers.count):
            # At most half a minute at a time: memory does not grow with the song.
            song = self.validation.whole(index)
            for part in song.split(self.validation.samples, -1):
                losses = task(part[None].to(self.workers.device))
                sums += losses.cpu().to(torch.float64) * part.shape[-1]
                samples += part.shape[-1]
        *means, share = self.workers.mean([*sums.tolist(), samples])
        return [value / share for value in means]

    def validate_and_keep(self, folder: Path) -> None:
        """Validate, write the networks that are the best so far, and save the state."""
        valid = self.validate()
        row = {
            "step": self.step, "seconds": round(self.seconds, 1),
            "learning_rate": self.optimizer.param_groups[0]["lr"],
            "train_loss": float(np.mean(self.losses)), "valid_loss": float(np.mean(valid)),
            "valid_losses": dict(zip(self.config.targets, valid)),
        }  # fmt: skip
        self.check(row["valid_loss"])
        self.history, self.losses = [*self.history, row], []
        if self.workers.is_main:
            for name in self.networks:
                self.keep(folder, name)
        self.save(folder)

    def keep(self, folder: Path, name: str) -> None:
        """Write a network's curve, and the network if it is the best so far."""
        recipe = self.config.recipe()
        best = best_of(self.history, name, self.config.is_joint)
        if best is self.history[-1]:
            card = self.result.card(name, {"config": recipe, **best})
            save_network(folder, self.result.networks[name], card)
        record = {"config": recipe, "best_step": best["step"], "history": self.history}
        with atomic(folder / f"{name}.json") as file:
            file.write_text(json.dumps(record, indent=1))

    def parts(self) -> dict[str, Any]:
        """All that has a state."""
        parts = {"network": self.task, "optimizer": self.optimizer, "average": self.average}
        return {name: part for name, part in parts.items() if part is not None}

    def save(self, folder: Path) -> None:
        """Write the state of this very step."""
        if self.workers.is_main:
            progress = {
                "step": self.step, "seconds": self.seconds, "losses": self.losses,
                "history": self.history, "config": asdict(self.config),
                "scaler": self.scaler.state_dict(),
            }  # fmt: skip
            file = state_file(folder, self.config.name)
            save_state(file, collect(**self.parts()), progress)
        self.workers.wait()

    def resume(self, folder: Path) -> None:
        """Go on from the state in `folder`, if there is one."""
        file = state_file(folder, self.config.name)
        loaded = load_state(file)
        if loaded is None:
            return
        tensors, progress = loaded
        if differ := self.config.differences(progress["config"]):
            raise CheckpointError(
                f"{file}: a training with another {', '.join(differ)}; choose "
                "another folder, or the same options to go on with it."
            )
        restore(tensors, **self.parts())
        self.step, self.seconds = progress["step"], progress["seconds"]
        self.losses, self.history = progress["losses"], progress["history"]
        self.scaler.load_state_dict(progress["scaler"])
