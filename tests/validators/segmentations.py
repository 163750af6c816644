"""Opens segmentations with readers of other makers: segmentations.py SOURCES WRITTEN.

The pixels of a segmentation follow from the values of its images (see tests/data/seg.rs), so each reader is asked for
the pixels at every image and every position, and these are compared with the values that pydicom reads there.
"""
import concurrent.futures
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import SimpleITK

MM = 1e-3
LABELS = ["Polyp", "Lung infection", "Leer – Größe"]


class Image:
    """One slice: its reference, its stored values and the positions of its pixels."""

    def __init__(self, dataset, frame, values, groups):
        self.instance, self.frame, self.values = dataset.SOPInstanceUID, frame, values
        self.plane = None
        try:
            position = np.array(groups["ImagePositionPatient"], float)
            across, down = np.array(groups["ImageOrientationPatient"], float).reshape(2, 3)
            row, column = (float(value) for value in groups["PixelSpacing"])
        except KeyError:
            return
        if "FrameOfReferenceUID" in dataset and dataset.FrameOfReferenceUID:
            self.plane = (position, across * column, down * row, dataset.FrameOfReferenceUID)

    def positions(self, mask):
        rows, columns = np.nonzero(mask)
        position, across, down, _ = self.plane
        return position + np.outer(columns, across) + np.outer(rows, down)


def images(folder, has_values):
    """The slices of an image, in any order. Real images may be compressed; their values are not read."""
    found = []
    for path in sorted(folder.iterdir()):
        dataset = pydicom.dcmread(path, force=True)
        if not hasattr(dataset.file_meta, "TransferSyntaxUID"):
            dataset.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian
        frames = int(getattr(dataset, "NumberOfFrames", 1) or 1)
        pixels = np.zeros((frames, dataset.Rows, dataset.Columns), int)
        if has_values:
            stored = dataset.pixel_array[..., 0] if dataset.SamplesPerPixel == 3 else dataset.pixel_array
            pixels = stored.reshape(pixels.shape)
        for number in range(frames):
            groups = {}
            scopes = [dataset]
            if frames > 1 and "PerFrameFunctionalGroupsSequence" in dataset:
                scopes += [dataset.SharedFunctionalGroupsSequence[0], dataset.PerFrameFunctionalGroupsSequence[number]]
            for scope in scopes:
                inner = [scope] + [e.value[0] for e in scope if e.VR == "SQ" and e.value and scope is not dataset]
                for part in inner:
                    for key in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"):
                        if getattr(part, key, None):
                            groups[key] = getattr(part, key)
            found.append(Image(dataset, number + 1 if frames > 1 else None, pixels[number].astype(np.int64), groups))
    return found


def expected(image, segment, is_binary):
    if segment == 2:
        return np.zeros_like(image.values)
    return image.values >> segment & 1 if is_binary else image.values >> 4 * segment & 255


def command(*arguments, allowed=0):
    done = subprocess.run(arguments, capture_output=True, text=True, errors="replace")
    if done.returncode > allowed:
        raise AssertionError(f"{arguments[0]}: {done.stdout[-1500:]}{done.stderr[-1500:]}")
    return done.stdout + done.stderr


def conforms(path, is_strange):
    """dciodvfy finds no errors, but for those in what is taken over from a strange image."""
    done = subprocess.run(["dciodvfy", "-new", str(path)], capture_output=True, text=True, errors="replace")
    errors = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("Error")]
    if is_strange:
        inherited = re.compile(r"Patient|Study|Accession|Referring|FrameOfReference|Referenced|UID")
        errors = [line for line in errors if not inherited.search(line)]
    assert not errors, "dciodvfy: " + "; ".join(errors[:5])


def dumps(path, segments=3):
    """dcmdump reads every element to the end."""
    text = command("dcmdump", "+Ep", "-q", str(path), "+P", "PixelData", "+P", "SegmentLabel")
    assert "7fe0,0010" in text and text.count("SegmentLabel") == segments, "dcmdump: " + text


def by_reference(path, slices, last, is_binary):
    """highdicom has the pixels at every image."""
    seg = highdicom.seg.segread(path)
    assert [seg.get_segment_description(number).segment_label for number in (1, 2, 3)] == LABELS, "highdicom: labels"
    assert seg.get_segment_description(1).algorithm_type.value == "AUTOMATIC"
    assert str(seg.get_segment_description(2).segmented_property_type.value) == "52988006"
    has_frames = slices[0].frame is not None
    if has_frames:
        pixels = seg.get_pixels_by_source_frame(
            slices[0].instance, [image.frame for image in slices], segment_numbers=[1, 2, 3],
            assert_missing_frames_are_empty=True, ignore_spatial_locations=True, rescale_fractional=False)
    else:
        pixels = seg.get_pixels_by_source_instance(
            [image.instance for image in slices], segment_numbers=[1, 2, 3],
            assert_missing_frames_are_empty=True, ignore_spatial_locations=True, rescale_fractional=False)
    for number, image in enumerate(slices):
        for segment in range(3):
            wanted = expected(image, segment, is_binary)
            if segment == 0 and image is last:
                wanted = np.zeros_like(wanted)
            found = pixels[number, ..., segment].astype(np.int64)
            assert (found == wanted).all(), f"highdicom: image {number}, segment {segment + 1}"
    return seg


def references(path, slices):
    """pydicom: every frame refers to one image, and lies where the image lies. Returns the slice that the first segment
    lacks, if there is one."""
    dataset = pydicom.dcmread(path)
    known = {(image.instance, image.frame): image for image in slices}
    seen = {1: set(), 2: set(), 3: set()}
    order = []
    for group in dataset.PerFrameFunctionalGroupsSequence:
        source = group.DerivationImageSequence[0].SourceImageSequence[0]
        key = (source.ReferencedSOPInstanceUID, int(source.ReferencedFrameNumber) if "ReferencedFrameNumber" in source else None)
        image = known[key]
        number = group.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        seen[number].add(key)
        order.append(tuple(np.atleast_1d(group.FrameContentSequence[0].DimensionIndexValues)))
        if image.plane is None or "FrameOfReferenceUID" not in dataset:
            assert "PlanePositionSequence" not in group
            continue
        position, across, down, reference = image.plane
        shared = dataset.SharedFunctionalGroupsSequence[0]
        place = np.array(group.PlanePositionSequence[0].ImagePositionPatient, float)
        orientation = (shared if "PlaneOrientationSequence" in shared else group).PlaneOrientationSequence[0]
        directions = np.array(orientation.ImageOrientationPatient, float).reshape(2, 3)
        measures = (shared if "PixelMeasuresSequence" in shared else group).PixelMeasuresSequence[0]
        row, column = (float(value) for value in measures.PixelSpacing)
        size = max(image.values.shape)
        for own, other in [(directions[0] * column, across), (directions[1] * row, down)]:
            assert np.abs(own - other).max() * size < MM, "pydicom: orientation or spacing"
        assert np.abs(place - position).max() < MM and dataset.FrameOfReferenceUID == reference, "pydicom: position"
    assert order == sorted(order) and len(set(order)) == len(order), "pydicom: the order of the frames"
    listed = {item.ReferencedSOPInstanceUID for item in dataset.ReferencedSeriesSequence[0].ReferencedInstanceSequence}
    assert listed == {image.instance for image in slices}, "pydicom: referenced instances"
    missing = [image for image in slices if (image.instance, image.frame) not in seen[1]]
    empty = [image for image in missing if expected(image, 0, dataset.SegmentationType == "BINARY").any()]
    assert len(empty) <= 1, "pydicom: slices without a frame"
    return empty[0] if empty else None


def by_position(path, slices, last):
    """dcmqi, read with ITK: the positions of all labelled voxels, each to a thousandth of a millimetre."""
    with tempfile.TemporaryDirectory() as folder:
        command("segimage2itkimage", "--inputDICOM", str(path), "--outputDirectory", folder, "--outputType", "nrrd",
                "-p", "seg")
        meta = json.loads((Path(folder) / "seg-meta.json").read_text())
        for group in meta["segmentAttributes"]:
            for segment in group:
                number = segment["labelID"]
                if number == 3:
                    continue
                volume = SimpleITK.ReadImage(str(Path(folder) / f"seg-{number}.nrrd"))
                values = SimpleITK.GetArrayFromImage(volume)
                found = np.array([volume.TransformIndexToPhysicalPoint([int(i) for i in index[::-1]])
                                  for index in np.argwhere(values)]).reshape(-1, 3)
                parts = [image.positions(expected(image, number - 1, True)) for image in slices
                         if not (number == 1 and image is last)]
                wanted = np.concatenate(parts)
                assert len(found) == len(wanted), f"dcmqi: segment {number}: {len(found)} of {len(wanted)} voxels"
                rounded = lambda points: points[np.lexsort(np.round(points, 2).T)]
                assert np.abs(rounded(found) - rounded(wanted)).max() < MM, f"dcmqi: segment {number}: positions"


def as_volume(seg, slices, is_binary):
    """highdicom's volume: its affine matrix takes every labelled voxel to the position of its source."""
    volume = seg.get_volume(segment_numbers=[2], rescale_fractional=False, allow_missing_positions=True)
    array = volume.array[..., 0]
    found = np.argwhere(array)
    points = np.c_[found, np.ones(len(found))] @ volume.affine.T
    wanted = np.concatenate([image.positions(expected(image, 1, is_binary)) for image in slices])
    assert len(points) == len(wanted), "highdicom: voxels of the volume"
    order = lambda points: points[np.lexsort(np.round(points, 2).T)]
    assert np.abs(order(points[:, :3]) - order(wanted)).max() < MM, "highdicom: positions of the volume"


def check(path, slices, name):
    is_binary = path.name.endswith(".binary.dcm")
    conforms(path, name.startswith("real_"))
    dumps(path)
    last = references(path, slices)
    readers = 3
    if not name.startswith("real_"):
        seg = by_reference(path, slices, last, is_binary)
        readers += 1
        # A sheared stack and a repeated slice are no volume for these two, and one of uneven steps or one slice none for the first; the
        # positions of their frames were compared above.
        if slices[0].plane is not None and not name.startswith(("tilted", "repeated")):
            if not name.startswith(("gaps", "picture")):
                as_volume(seg, slices, is_binary)
            if is_binary:
                by_position(path, slices, last)
                readers += 1
    return readers


def of_folder(folder, paths):
    """The number of readings of the segmentations of an image, and what failed."""
    slices = images(folder, not folder.name.startswith("real_"))
    failed, readings = [], 0
    for path in paths:
        try:
            readings += check(path, slices, folder.name)
        except Exception as error:  # every file is checked, whatever happens to another
            failed.append(f"{path.name}: {type(error).__name__}: {error}")
    return readings, failed


if __name__ == "__main__":
    sources, written = map(Path, sys.argv[1:3])
    folders = {folder: sorted(written.glob(f"{folder.name}.*.dcm")) for folder in sorted(sources.iterdir())}
    folders = {folder: paths for folder, paths in folders.items() if paths}
    with concurrent.futures.ProcessPoolExecutor() as pool:
        done = list(pool.map(of_folder, folders.keys(), folders.values()))
    failed = [line for _, lines in done for line in lines]
    count = sum(map(len, folders.values()))
    print(f"{count} segmentations, {sum(readings for readings, _ in done)} readings, {len(failed)} failed")
    print("\n".join(failed))
    sys.exit(bool(failed) or count == 0)
