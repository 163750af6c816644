"""Writes segmentations with other programs, to be read by this one: foreign.py SOURCES OUT.

Their pixels follow from the values of the images, as in tests/data/seg.rs: the segment "Polyp" has the lowest bit (or
byte), "Lung infection" the next bit (or the byte from the fifth bit on).
"""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import SimpleITK
from pydicom.sr.codedict import codes

LABELS = ["Polyp", "Lung infection"]


def described(number):
    algorithm = highdicom.AlgorithmIdentificationSequence(
        name="Other", version="9", family=codes.DCM.ArtificialIntelligence)
    return highdicom.seg.SegmentDescription(
        segment_number=number, segment_label=LABELS[number - 1],
        segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
        segmented_property_type=codes.SCT.Nodule, algorithm_type="AUTOMATIC", algorithm_identification=algorithm,
        display_color=highdicom.color.CIELabColor(50.0, 20.0 * number, -30.0))


def sources(folder):
    datasets = [pydicom.dcmread(path) for path in sorted(folder.iterdir())]
    values = np.stack([dataset.pixel_array for dataset in datasets])
    return datasets, values[0] if values.ndim == 4 else values


def by_highdicom(folder, out, kind):
    datasets, values = sources(folder)
    bits = np.stack([values & 1, values >> 1 & 1], axis=-1).astype(np.uint8)
    shares = np.stack([values & 255, values >> 4 & 255], axis=-1) / 255.0
    seg = highdicom.seg.Segmentation(
        source_images=datasets, pixel_array=bits if kind == "binary" else shares,
        segmentation_type=kind.upper(), segment_descriptions=[described(1), described(2)],
        series_instance_uid=pydicom.uid.generate_uid(), series_number=9, sop_instance_uid=pydicom.uid.generate_uid(),
        instance_number=1, manufacturer="Other", manufacturer_model_name="Other", software_versions="9",
        device_serial_number="9", max_fractional_value=255)
    seg.save_as(out / f"{folder.name}.highdicom.{kind}.dcm")


def by_dcmqi(folder, out):
    """dcmqi takes the image by its geometry, from NRRD, and sorts and turns its slices itself."""
    datasets, values = sources(folder)
    normal = np.cross(*np.array(datasets[0].ImageOrientationPatient, float).reshape(2, 3))
    order = np.argsort([np.dot(normal, np.array(dataset.ImagePositionPatient, float)) for dataset in datasets])
    first = datasets[order[0]]
    directions = np.array(first.ImageOrientationPatient, float).reshape(2, 3)
    row, column = (float(value) for value in first.PixelSpacing)
    places = [np.array(datasets[place].ImagePositionPatient, float) for place in order]
    with tempfile.TemporaryDirectory() as temporary:
        files = []
        for segment in range(2):
            image = SimpleITK.GetImageFromArray((values[order] >> segment & 1).astype(np.uint8))
            image.SetSpacing([column, row, float(np.dot(normal, places[1] - places[0]))])
            image.SetOrigin(places[0])
            image.SetDirection(np.stack([*directions, normal], axis=1).flatten())
            files.append(f"{temporary}/{segment}.nrrd")
            SimpleITK.WriteImage(image, files[-1])
        code = lambda value, meaning: {"CodeValue": value, "CodingSchemeDesignator": "SCT", "CodeMeaning": meaning}
        meta = {
            "ContentCreatorName": "Other", "SeriesDescription": "By dcmqi", "SeriesNumber": "9", "InstanceNumber": "1",
            "BodyPartExamined": "CHEST",
            "segmentAttributes": [[{
                "labelID": 1, "SegmentLabel": label, "SegmentDescription": label, "SegmentAlgorithmType": "MANUAL",
                "SegmentedPropertyCategoryCodeSequence": code("49755003", "Morphologically Altered Structure"),
                "SegmentedPropertyTypeCodeSequence": code("27925004", "Nodule"),
                "recommendedDisplayRGBValue": [200, 100, 50]}] for label in LABELS]}
        Path(f"{temporary}/meta.json").write_text(json.dumps(meta))
        done = subprocess.run(
            ["itkimage2segimage", "--inputImageList", ",".join(files), "--inputDICOMDirectory", str(folder),
             "--inputMetadata", f"{temporary}/meta.json", "--outputDICOM", str(out / f"{folder.name}.dcmqi.binary.dcm"),
             "--skip"], capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"itkimage2segimage: {folder.name}: {done.stdout[-1000:]}{done.stderr[-1000:]}")


if __name__ == "__main__":
    root, target = map(Path, sys.argv[1:3])
    for name in ["axial_0", "axial_3", "coronal_5", "sagittal_2", "oblique_7", "prone_1", "tilted_4", "gaps", "enhanced",
                 "xray", "picture_13x7", "large"]:
        for kind in ["binary", "fractional"]:
            by_highdicom(root / name, target, kind)
    for name in ["axial_0", "axial_3", "coronal_5", "sagittal_2", "oblique_7", "prone_1", "large"]:
        by_dcmqi(root / name, target)
    print(len(list(target.glob("*.dcm"))), "segmentations of other programs")
