"""SAM's own architecture with random weights whose masks are small patches, so that there are many different ones."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from segment_anything import SamPredictor

from samtta_app.core.types import Image
from samtta_app.images.read import from_array
from samtta_app.model.backbone import SamModel
from samtta_app.model.official_predictor import stock_model


def blobs(seed: int = 0, height: int = 110, width: int = 150) -> Image:
    """A smooth picture of random colours."""
    small = np.random.default_rng(seed).integers(0, 255, (9, 11, 3), dtype=np.uint8)
    return from_array(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC))


def patchy_model(image: Image, share: float = 0.02, size: int = 128, seed: int = 3) -> SamModel:
    """A stock SAM: one channel of its masks is made constant, and says that `share` of the cells is object."""
    model = stock_model(size=size, width=64, depth=2, seed=seed)
    decoder, predictor = model.net.mask_decoder, SamPredictor(model.net)
    networks = [each.layers[-1] for each in decoder.output_hypernetworks_mlps]
    places = np.stack(np.meshgrid(np.linspace(5, image.width - 5, 6), np.linspace(5, image.height - 5, 6)), -1)
    with torch.no_grad():
        decoder.output_upscaling[3].weight[:, -1] = 0
        decoder.output_upscaling[3].bias[-1] = 5  # GELU leaves it as it is
        for layer in networks:
            layer.weight[-1], layer.bias[-1] = 0, 0
        predictor.set_image(image.pixels)
        xy = torch.tensor(predictor.transform.apply_coords(places.reshape(-1, 1, 2), image.pixels.shape[:2]))
        _, _, logits = predictor.predict_torch(xy, torch.ones(len(xy), 1), multimask_output=True, return_logits=True)
        rows = -(-predictor.input_size[0] // 4)
        for token, layer in enumerate(networks[1:]):
            layer.bias[-1] = -logits[:, token, :rows].flatten().quantile(1 - share) / 5
    return model
