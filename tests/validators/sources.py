"""Makes the images that segmentations are drawn on: sources.py FOLDER [FOLDER OF REAL FILES].

Every image has a folder of its own. A pixel has a value that no other pixel near it has, so that a mask made of the
values tells at which pixel of which file each of its pixels belongs.
"""
import shutil
import sys
from pathlib import Path

import nibabel
import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

CT, CR, DX = ("1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.1", "1.2.840.10008.5.1.4.1.1.1.1")
SC, US_FRAMES, VL = ("1.2.840.10008.5.1.4.1.1.7", "1.2.840.10008.5.1.4.1.1.3.1", "1.2.840.10008.5.1.4.1.1.77.1.1")
ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1"
rng = np.random.default_rng(7)


def decimal(value):
    """A number as a decimal string, as scanners write it."""
    return f"{value:.10g}"[:16]


def start(sop_class, modality, pixels, study=None):
    """An image with patient, study and pixels: rows x columns, or with frames or colours before or behind these."""
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.file_meta.MediaStorageSOPClassUID = image.SOPClassUID = sop_class
    image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID = generate_uid()
    image.SpecificCharacterSet = "ISO_IR 100"
    image.PatientName, image.PatientID = "Größe^Ärmel", "HX-1"
    image.PatientBirthDate, image.PatientSex, image.PatientAge = "19700102", "O", "054Y"
    image.StudyInstanceUID = study or generate_uid()
    image.SeriesInstanceUID = generate_uid()
    image.StudyDate, image.StudyTime, image.StudyID = "20240301", "101112", "S1"
    image.StudyDescription, image.AccessionNumber, image.ReferringPhysicianName = "Prüfung", "A-17", "Dr^Ä"
    image.Modality, image.SeriesNumber, image.InstanceNumber = modality, 3, 1
    image.Manufacturer = "Validators"
    image.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    is_colour = pixels.ndim == 3 and pixels.shape[-1] == 3 and pixels.dtype == np.uint8
    shape = pixels.shape[:-1] if is_colour else pixels.shape
    image.Rows, image.Columns = shape[-2:]
    image.SamplesPerPixel = 3 if is_colour else 1
    image.PhotometricInterpretation = "RGB" if is_colour else "MONOCHROME2"
    if is_colour:
        image.PlanarConfiguration = 0
    bits = 8 * pixels.dtype.itemsize
    image.BitsAllocated, image.BitsStored, image.HighBit = bits, min(bits, 12), min(bits, 12) - 1
    image.PixelRepresentation = 0
    image.PixelData = pixels.tobytes() + (b"\0" if pixels.nbytes % 2 else b"")
    return image


def values(*shape):
    """Values of 12 bits."""
    return rng.integers(0, 4096, shape, dtype=np.uint16)


def save(folder, *images):
    folder.mkdir(parents=True, exist_ok=True)
    for number, image in enumerate(images):
        image.save_as(folder / f"{number:03}.dcm", enforce_file_format=True)


def stack(across, down, step, rows=7, columns=13, heights=range(5)):
    """The slices of a CT: the directions of rows and columns, the step between slices in mm."""
    reference, series, study = generate_uid(), generate_uid(), generate_uid()
    images = []
    for number, height in enumerate(heights):
        image = start(CT, "CT", values(rows, columns), study)
        image.SeriesInstanceUID, image.FrameOfReferenceUID = series, reference
        image.PositionReferenceIndicator = ""
        image.InstanceNumber, image.AcquisitionNumber = number + 1, 1
        image.KVP, image.PatientPosition = "120", "HFS"
        image.RescaleIntercept, image.RescaleSlope, image.RescaleType = "-1024", "1", "HU"
        image.PixelSpacing, image.SliceThickness = ["0.7421875", "0.8134766"], "2.5"
        image.ImageOrientationPatient = [decimal(part) for part in [*across, *down]]
        position = np.array([-123.4567, 45.678, -310.25]) + np.array(step) * height
        image.ImagePositionPatient = [decimal(part) for part in position]
        images.append(image)
    return images


def rotation(x, y, z):
    """A rotation by three angles in degrees."""
    a, b, c = np.radians([x, y, z])
    turn_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    turn_y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    turn_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return turn_z @ turn_y @ turn_x


def stacks(folder):
    """Axial, coronal, sagittal, prone, oblique and tilted stacks, in all flips of rows, columns and files."""
    oblique = rotation(17, -23, 41)
    planes = {
        "axial": ([1, 0, 0], [0, 1, 0]),
        "coronal": ([1, 0, 0], [0, 0, -1]),
        "sagittal": ([0, 1, 0], [0, 0, -1]),
        "prone": ([-1, 0, 0], [0, -1, 0]),
        "oblique": (oblique[:, 0], oblique[:, 1]),
        "tilted": ([1, 0, 0], [0, 1, 0]),
    }
    for name, (across, down) in planes.items():
        normal = np.cross(across, down)
        step = 2.5 * normal + (np.array([0, 0.9, 0]) if name == "tilted" else 0)
        for flip in range(8):
            signs = [-1 if flip >> bit & 1 else 1 for bit in range(3)]
            save(folder / f"{name}_{flip}", *stack(
                np.array(across) * signs[0], np.array(down) * signs[1], step * signs[2]))


def enhanced(folder):
    """An enhanced CT whose frames are in no order of positions."""
    order = [3, 0, 4, 1, 2]
    image = start(ENHANCED_CT, "CT", values(5, 7, 13))
    image.NumberOfFrames, image.FrameOfReferenceUID = 5, generate_uid()
    image.PositionReferenceIndicator = ""
    image.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    image.BodyPartExamined = "CHEST"

    def one(**elements):
        item = Dataset()
        for key, value in elements.items():
            setattr(item, key, value)
        return Sequence([item])

    shared = Dataset()
    shared.PixelMeasuresSequence = one(PixelSpacing=["0.7", "0.8"], SliceThickness="2", SpacingBetweenSlices="2")
    shared.PlaneOrientationSequence = one(ImageOrientationPatient=["1", "0", "0", "0", "1", "0"])
    shared.PixelValueTransformationSequence = one(RescaleIntercept="-1024", RescaleSlope="1", RescaleType="HU")
    image.SharedFunctionalGroupsSequence = Sequence([shared])
    groups = []
    for height in order:
        group = Dataset()
        group.FrameContentSequence = one(DimensionIndexValues=[height + 1])
        group.PlanePositionSequence = one(ImagePositionPatient=["-10.5", "20.25", decimal(2.0 * height)])
        groups.append(group)
    image.PerFrameFunctionalGroupsSequence = Sequence(groups)
    save(folder / "enhanced", image)


def others(folder):
    """Single images, images without a frame of reference, colours, uneven steps and one repeated position."""
    save(folder / "picture_13x7", *stack([1, 0, 0], [0, 1, 0], [0, 0, 2.5], heights=[0]))
    save(folder / "gaps", *stack([1, 0, 0], [0, 1, 0], [0, 0, 2.5], heights=[0, 1, 4, 5, 9]))
    repeated = stack([1, 0, 0], [0, 1, 0], [0, 0, 2.5], heights=[0, 0, 0, 0])
    for number, image in enumerate(repeated):
        image.AcquisitionTime = f"1010{number:02}"
    save(folder / "repeated", *repeated)
    save(folder / "large", *stack([1, 0, 0], [0, 1, 0], [0, 0, 1.25], rows=128, columns=100, heights=range(24)))
    xray = start(DX, "DX", values(37, 29))
    xray.ImageType, xray.PatientOrientation = ["ORIGINAL", "PRIMARY"], ["L", "F"]
    xray.PresentationIntentType, xray.ImagerPixelSpacing = "FOR PRESENTATION", ["0.139", "0.139"]
    xray.PixelIntensityRelationship, xray.PixelIntensityRelationshipSign = "LIN", 1
    save(folder / "xray", xray)
    chest = start(CR, "CR", values(31, 33))
    chest.ImageType, chest.PatientOrientation = ["DERIVED", "PRIMARY"], ["L", "F"]
    chest.LossyImageCompression, chest.LossyImageCompressionRatio = "01", "12.5"
    chest.LossyImageCompressionMethod = "ISO_10918_1"
    chest.PatientIdentityRemoved = "YES"
    save(folder / "xray_lossy", chest)
    scope = start(VL, "ES", rng.integers(0, 256, (21, 19, 3), dtype=np.uint8))
    scope.ImageType = ["ORIGINAL", "PRIMARY"]
    save(folder / "endoscopy", scope)
    film = start(US_FRAMES, "US", rng.integers(0, 256, (6, 11, 9), dtype=np.uint8))
    film.NumberOfFrames, film.ImageType = 6, ["ORIGINAL", "PRIMARY"]
    film.FrameTime, film.FrameIncrementPointer = "40", 0x00181063
    save(folder / "film", film)


def nifti(folder):
    """NIfTI images whose axes have all kinds of directions, with a sform, a qform, both or neither."""
    turned = rotation(11, 29, -37)
    axes = {"ras": np.eye(3), "lps": np.diag([-1, -1, 1]), "psr": np.eye(3)[[2, 0, 1]], "oblique": turned,
            "oblique_flipped": turned @ np.diag([-1, 1, -1])}
    for name, directions in axes.items():
        affine = np.eye(4)
        affine[:3, :3] = directions @ np.diag([0.75, 0.8, 2.5])
        affine[:3, 3] = [12.5, -34.25, 56.125]
        for sform, qform in [(1, 1), (2, 0), (0, 1), (4, 3), (0, 0)]:
            image = nibabel.Nifti1Image(values(13, 7, 5).astype(np.int16), affine)
            image.set_sform(affine, sform)
            image.set_qform(affine, qform)
            if not sform and not qform:
                image = nibabel.Nifti1Image(np.asanyarray(image.dataobj), None)
            target = folder / f"nifti_{name}_{sform}{qform}"
            target.mkdir()
            nibabel.save(image, target / "image.nii.gz")


def real(folder, files):
    """Every real file in a folder of its own."""
    for path in sorted((files.parent / "nifti").glob("ct_*.nii.gz")):
        target = folder / f"nifti_real_{path.name.split('.')[0]}"
        target.mkdir()
        shutil.copy(path, target / "image.nii.gz")
    for path in sorted(files.rglob("*.dcm")):
        target = folder / f"real_{path.stem}"
        target.mkdir(parents=True)
        shutil.copy(path, target)


if __name__ == "__main__":
    root = Path(sys.argv[1])
    stacks(root)
    enhanced(root)
    others(root)
    nifti(root)
    if len(sys.argv) > 2 and Path(sys.argv[2]).is_dir():
        real(root, Path(sys.argv[2]))
    print(len(list(root.iterdir())), "images")
