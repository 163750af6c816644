"""Opens NIfTI label maps with nibabel and ITK: label_maps.py SOURCES WRITTEN.

The label of a pixel are the last two bits of its value, so the position of every labelled voxel is compared with the
position of the pixel that has this value, and the voxels of a map on the grid of a NIfTI image with those of the image.
"""
import sys
from pathlib import Path

import nibabel
import numpy as np
import SimpleITK

from segmentations import MM, images


def in_lps(affine, indices):
    """Positions in the patient coordinates of DICOM."""
    return (indices @ affine[:3, :3].T + affine[:3, 3]) * [-1, -1, 1]


def same(found, wanted, what):
    assert len(found) == len(wanted), f"{what}: {len(found)} of {len(wanted)} voxels"
    order = lambda points: points[np.lexsort(np.round(points, 2).T)]
    if len(found):
        assert np.abs(order(found) - order(wanted)).max() < MM, f"{what}: positions"


def header(path):
    image = nibabel.load(path)
    assert image.header.get_data_dtype() == np.uint8, "nibabel: kind of values"
    # nibabel moves both from the header to the data.
    assert image.dataobj.slope == 1 and image.dataobj.inter == 0, "nibabel: scaling"
    return image


def on_nifti(path, source):
    """The map has the voxels of its image, with its sform and qform and their codes."""
    image, drawn_on = header(path), nibabel.load(source)
    labels = np.asanyarray(image.dataobj)
    assert (labels == (np.asanyarray(drawn_on.dataobj).astype(np.int64) & 3)).all(), "nibabel: voxels"
    for form in ("sform", "qform"):
        (own, code), (other, wanted) = (getattr(of, f"get_{form}")(coded=True) for of in (image, drawn_on))
        assert code == wanted, f"nibabel: code of the {form}"
        assert code == 0 or np.abs(own - other).max() < MM / 100, f"nibabel: {form}"
    by_itk, itself = SimpleITK.ReadImage(str(path)), SimpleITK.ReadImage(str(source))
    if image.header["sform_code"] or image.header["qform_code"]:
        for corner in np.ndindex(2, 2, 2):
            index = [int(end * (size - 1)) for end, size in zip(corner, by_itk.GetSize())]
            places = [np.array(of.TransformIndexToPhysicalPoint(index)) for of in (by_itk, itself)]
            assert np.abs(places[0] - places[1]).max() < MM, "ITK: positions"
    assert (SimpleITK.GetArrayFromImage(by_itk) == labels.T).all(), "ITK: voxels"


def on_dicom(path, slices, turn):
    """Every labelled voxel lies where its pixel lies; without positions, the map is as displayed."""
    image = header(path)
    labels = np.asanyarray(image.dataobj)
    if slices[0].plane is None:
        stored = np.stack([image.values & 3 for image in slices])
        shown = stored.transpose(0, 2, 1) if turn & 1 else stored
        for bit, axis in [(2, 2), (4, 1), (8, 0)]:
            shown = np.flip(shown, axis) if turn & bit else shown
        assert labels.shape == shown.T.shape and (labels == shown.T).all(), "nibabel: pixels as displayed"
        return
    codes = image.header["sform_code"], image.header["qform_code"]
    assert codes[0] > 0, "nibabel: no sform"
    for label in (1, 2, 3):
        wanted = np.concatenate([image.positions((image.values & 3) == label) for image in slices])
        found = np.argwhere(labels == label)
        same(in_lps(image.get_sform(), found), wanted, f"nibabel: label {label} by sform")
        if codes[1]:
            same(in_lps(image.get_qform(), found), wanted, f"nibabel: label {label} by qform")
            # ITK refuses sheared stacks, whose qform is not set.
            by_itk = SimpleITK.ReadImage(str(path))
            points = [by_itk.TransformIndexToPhysicalPoint([int(i) for i in index]) for index in found]
            same(np.array(points).reshape(-1, 3), wanted, f"ITK: label {label}")


if __name__ == "__main__":
    sources, written = map(Path, sys.argv[1:3])
    failed, count = [], 0
    for folder in sorted(sources.iterdir()):
        for path in written.glob(f"{folder.name}.*.nii.gz"):
            count += 1
            try:
                if (folder / "image.nii.gz").exists():
                    on_nifti(path, folder / "image.nii.gz")
                elif folder.name.startswith("real_"):
                    header(path)
                else:
                    on_dicom(path, images(folder, True), int(path.name.split(".")[1]))
            except Exception as error:  # every file is checked, whatever happens to another
                failed.append(f"{path.name}: {type(error).__name__}: {error}")
    print(f"{count} label maps, {len(failed)} failed")
    print("\n".join(failed))
    sys.exit(bool(failed) or count == 0)
