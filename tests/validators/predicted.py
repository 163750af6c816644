"""Compares what `himix predict` wrote with each other: predicted.py SOURCES PREDICTED.

For every folder in PREDICTED, named after its image: the masks of the slices as PNG, the label map as NIfTI and the DICOM
segmentation have the same pixels, and those of the last two lie where those of the image lie.
"""
import sys
from pathlib import Path

import highdicom
import nibabel
import numpy as np
import SimpleITK

from label_maps import in_lps, same
from segmentations import conforms, dumps, images


def check(folder, slices):
    # The program shows a stack along the normal of its slices.
    if slices[0].plane is not None:
        position, across, down, _ = zip(*(image.plane for image in slices))
        heights = [np.dot(np.cross(across[0], down[0]), place) for place in position]
        slices = [slices[number] for number in np.argsort(heights)]
    pictures = sorted(folder.glob("mask*.png"))
    masks = [SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path))) > 0 for path in pictures]
    assert len(masks) == len(slices), f"{len(masks)} masks of {len(slices)} slices"
    count = sum(int(mask.sum()) for mask in masks)
    assert 0 < count < sum(mask.size for mask in masks), f"a mask that tells nothing: {count}"

    path = folder / "mask.dcm"
    conforms(path, False)
    dumps(path, 1)
    seg = highdicom.seg.segread(path)
    assert "lung" in seg.SegmentSequence[0].SegmentDescription, "the prompt"
    assert seg.get_segment_description(1).algorithm_type.value == "AUTOMATIC", "the algorithm"
    options = dict(assert_missing_frames_are_empty=True, ignore_spatial_locations=True)
    if slices[0].frame is None:
        pixels = seg.get_pixels_by_source_instance([image.instance for image in slices], **options)
    else:
        pixels = seg.get_pixels_by_source_frame(slices[0].instance, [image.frame for image in slices], **options)
    assert (pixels[..., 0].astype(bool) == np.stack(masks)).all(), "DICOM and PNG"

    path = folder / "mask_probability.dcm"
    conforms(path, False)
    fractions = highdicom.seg.segread(path)
    assert fractions.SegmentationType == "FRACTIONAL" and fractions.MaximumFractionalValue == 255
    options["rescale_fractional"] = False
    if slices[0].frame is None:
        shares = fractions.get_pixels_by_source_instance([image.instance for image in slices], **options)
    else:
        shares = fractions.get_pixels_by_source_frame(slices[0].instance, [image.frame for image in slices], **options)
    shares = shares[..., 0].astype(float)
    masked = np.stack(masks)
    # The threshold lies between the fractions inside and outside of the mask.
    assert shares[~masked].max() <= shares[masked].min(), "the probabilities and the mask"

    labels = np.asanyarray(nibabel.load(folder / "mask.nii.gz").dataobj) > 0
    assert labels.sum() == count, "NIfTI and PNG: pixels"
    if slices[0].plane is not None:
        wanted = np.concatenate([image.positions(mask) for image, mask in zip(slices, masks)])
        same(in_lps(nibabel.load(folder / "mask.nii.gz").affine, np.argwhere(labels)), wanted, "NIfTI and PNG")
    else:
        assert (labels.T == np.stack(masks)).all(), "NIfTI and PNG"


if __name__ == "__main__":
    sources, predicted = map(Path, sys.argv[1:3])
    failed, count = [], 0
    for folder in sorted(predicted.iterdir()):
        count += 1
        try:
            check(folder, images(sources / folder.name, True))
        except Exception as error:  # every folder is checked, whatever happens to another
            failed.append(f"{folder.name}: {type(error).__name__}: {error}")
    print(f"{count} predictions, {len(failed)} failed")
    print("\n".join(failed))
    sys.exit(bool(failed) or count == 0)
