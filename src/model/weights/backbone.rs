//! Pretrained backbones of other frameworks, presented under the authors' keys.

use std::collections::BTreeMap;
use std::path::Path;

use super::npz::NpzFile;
use super::{TensorSource, WeightsError, check, manifest};
use crate::model::key_table::{BackboneTensor, Layout};
use crate::model::network::Network;

/// A backbone under the authors' keys.
struct Backbone {
    file: NpzFile,
    /// The tensors by the authors' key, with their shape in the network.
    tensors: BTreeMap<String, (BackboneTensor, Vec<usize>)>,
}

/// Opens the archive of a network's backbone.
///
/// # Errors
/// The network has no such backbone, the file cannot be read, or a tensor is missing or does not fit.
pub fn open(path: &Path, network: &dyn Network) -> Result<Box<dyn TensorSource>, WeightsError> {
    let wanted = network.backbone();
    if wanted.is_empty() {
        let reason = format!("the network {} has no backbone of this kind; import a checkpoint", network.name());
        return Err(WeightsError::file(path, reason));
    }
    let file = NpzFile::open(path)?;
    let found = file.shapes();
    let needed = manifest::parameters(network).map_err(|error| WeightsError::config(path, error.to_string()))?;
    let shapes: BTreeMap<String, Vec<usize>> = needed.into_iter().map(|spec| (spec.name, spec.shape)).collect();
    let (mut tensors, mut mismatch) = (BTreeMap::new(), check::Mismatch::default());
    for tensor in wanted {
        let Some(shape) = shapes.get(&tensor.key) else { continue };
        match found.get(&tensor.name) {
            None => mismatch.missing.push(tensor.name),
            Some(theirs) if !tensor.layout.fits(theirs, shape) => {
                mismatch.mis_shaped.push(check::MisShaped {
                    name: tensor.name,
                    needed: shape.clone(),
                    found: theirs.clone(),
                });
            }
            Some(_) => {
                tensors.insert(tensor.key.clone(), (tensor, shape.clone()));
            }
        }
    }
    if mismatch.is_empty() {
        return Ok(Box::new(Backbone { file, tensors }));
    }
    Err(WeightsError::Mismatch {
        path: path.to_path_buf(),
        config: network.describe(),
        mismatch: Box::new(mismatch),
        // A backbone alone looks like no network.
        resembles: None,
    })
}

impl TensorSource for Backbone {
    fn path(&self) -> &Path {
        self.file.path()
    }

    fn shapes(&self) -> BTreeMap<String, Vec<usize>> {
        self.tensors.iter().map(|(key, (_, shape))| (key.clone(), shape.clone())).collect()
    }

    fn read(&self, name: &str) -> Result<Vec<f32>, WeightsError> {
        let missing = || WeightsError::file(self.path(), format!("there is no {name}; import another file"));
        let (tensor, shape) = self.tensors.get(name).ok_or_else(missing)?;
        Ok(tensor.layout.convert(&self.file.read(&tensor.name)?, shape))
    }
}

impl Layout {
    /// Whether a tensor with the shape `theirs` can become one with the shape `ours`.
    fn fits(self, theirs: &[usize], ours: &[usize]) -> bool {
        let count = |shape: &[usize]| shape.iter().product::<usize>();
        match (self, theirs, ours) {
            (Self::Convolution, [height, width, input, output], ours) => {
                *ours == [*output, *input, *height, *width]
            }
            (Self::Matrix | Self::Plain, theirs, ours) => count(theirs) == count(ours),
            (Self::Positions, [1, rows, channels], [1, needed, width]) => {
                let is_square = |cells: usize| cells > 0 && cells.isqrt().pow(2) == cells;
                channels == width && *rows > 1 && is_square(rows - 1) && is_square(*needed)
            }
            _ => false,
        }
    }

    /// The values in the order of the network, for a tensor that fits.
    fn convert(self, values: &[f32], shape: &[usize]) -> Vec<f32> {
        match (self, shape) {
            (Self::Convolution, [output, input, height, width]) => {
                let mut converted = Vec::with_capacity(values.len());
                for (o, i) in (0..*output).flat_map(|o| (0..*input).map(move |i| (o, i))) {
                    converted.extend((0..height * width).map(|tap| values[(tap * input + i) * output + o]));
                }
                converted
            }
            (Self::Matrix, [output, input]) => {
                (0..output * input).map(|place| values[place % input * output + place / input]).collect()
            }
            (Self::Positions, [_, cells, channels]) => {
                // The first row belongs to the class token.
                zoomed(&values[*channels..], *channels, cells.isqrt())
            }
            _ => values.to_vec(),
        }
    }
}

/// Zooms a square grid of positions, `[n², channels]`, linearly from corner to corner to m×m positions.
fn zoomed(values: &[f32], channels: usize, m: usize) -> Vec<f32> {
    let n = (values.len() / channels.max(1)).isqrt();
    if n == m {
        return values.to_vec();
    }
    let line = |index: usize| {
        let place = if m > 1 { index as f64 * (n - 1) as f64 / (m - 1) as f64 } else { 0.0 };
        let before = (place as usize).min(n - 1);
        (before, (before + 1).min(n - 1), place - before as f64)
    };
    let at =
        |row: usize, column: usize, channel: usize| f64::from(values[(row * n + column) * channels + channel]);
    let mut zoomed = Vec::with_capacity(m * m * channels);
    for (row, column) in (0..m * m).map(|cell| (cell / m, cell % m)) {
        let ((top, bottom, down), (left, right, along)) = (line(row), line(column));
        zoomed.extend((0..channels).map(|channel| {
            let over = at(top, left, channel) * (1.0 - along) + at(top, right, channel) * along;
            let under = at(bottom, left, channel) * (1.0 - along) + at(bottom, right, channel) * along;
            (over * (1.0 - down) + under * down) as f32
        }));
    }
    zoomed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_become_those_of_the_network() {
        // Height 1, width 2, two inputs, three outputs: the value is the place by its digits.
        let hwio: Vec<f32> = (0..12).map(|at| ((at / 6) * 100 + (at / 3 % 2) * 10 + at % 3) as f32).collect();
        let oihw = Layout::Convolution.convert(&hwio, &[3, 2, 1, 2]);
        assert_eq!(oihw, [0., 100., 10., 110., 1., 101., 11., 111., 2., 102., 12., 112.]);
        assert!(Layout::Convolution.fits(&[1, 2, 2, 3], &[3, 2, 1, 2]));
        assert!(!Layout::Convolution.fits(&[1, 2, 3, 2], &[3, 2, 1, 2]));
        // Two inputs, heads of which two make the four outputs.
        let matrix = Layout::Matrix.convert(&[0., 1., 2., 3., 10., 11., 12., 13.], &[4, 2]);
        assert_eq!(matrix, [0., 10., 1., 11., 2., 12., 3., 13.]);
        assert!(Layout::Matrix.fits(&[2, 2, 2], &[4, 2]) && !Layout::Matrix.fits(&[2, 3, 2], &[4, 2]));
    }

    #[test]
    fn positions_are_zoomed_from_corner_to_corner_without_the_class_token() {
        // A grid of 2×2 whose values are linear in both directions, behind the class token.
        let values = [9., 9., 0., 0., 1., 10., 2., 20., 3., 30.];
        assert!(Layout::Positions.fits(&[1, 5, 2], &[1, 9, 2]));
        let nine = Layout::Positions.convert(&values, &[1, 9, 2]);
        let expected: Vec<f32> =
            (0..9).flat_map(|at| [0.5, 5.0].map(|unit| unit * (at / 3 * 2 + at % 3) as f32)).collect();
        assert_eq!(nine, expected);
        assert_eq!(Layout::Positions.convert(&values, &[1, 4, 2]), values[2..]);
        assert!(!Layout::Positions.fits(&[1, 4, 2], &[1, 9, 2]));
    }

    #[test]
    fn an_archive_becomes_the_encoder_of_a_new_network() {
        use burn::tensor::Device;

        use crate::model::registry::Registry;
        use crate::model::weights::load::{self, Missing};
        use crate::model::weights::npz::tests::zip;

        let text = r#"{"network": "transunet", "image_size": 96, "hidden_size": 8, "mlp_size": 12, "heads": 2, "layers": 1,
            "resnet": {"units": [1, 1, 1], "width": 4, "group_norm_groups": 2}, "head_channels": 4,
            "decoder_channels": [4, 4, 4, 4], "skip_channels": [32, 16, 4, 0]}"#;
        let config = Registry::default().parse(text).expect("a configuration");
        let network = config.network.as_ref();
        let specs = manifest::parameters(network).expect("keys");
        let shape = |key: &str| specs.iter().find(|spec| spec.name == key).expect("a key").shape.clone();
        let mut arrays = Vec::new();
        for (number, tensor) in network.backbone().into_iter().enumerate() {
            let shape = match (tensor.layout, &shape(&tensor.key)[..]) {
                (Layout::Convolution, [o, i, h, w]) => vec![*h, *w, *i, *o],
                (Layout::Matrix, [output, input]) => vec![*input, 2, output / 2],
                // A grid of 4×4, which is zoomed to 6×6.
                (Layout::Positions, [one, _, channels]) => vec![*one, 17, *channels],
                (_, shape) => shape.to_vec(),
            };
            let count = shape.iter().product::<usize>();
            let values: Vec<f32> = (0..count).map(|at| (number * 1000 + at) as f32 / 1e4).collect();
            let sizes: Vec<String> = shape.iter().map(usize::to_string).collect();
            arrays.push((tensor.name, format!("({},)", sizes.join(", ")), values));
        }
        let folder = tempfile::tempdir().expect("a folder");
        let write = |arrays: &[(String, String, Vec<f32>)]| {
            let entries: Vec<(&str, &str, &[f32])> = arrays
                .iter()
                .map(|(name, shape, values)| (name.as_str(), shape.as_str(), values.as_slice()))
                .collect();
            let path = folder.path().join("backbone.npz");
            crate::atomic_file::write(&path, |out| out.write_all(&zip(&entries, true))).expect("written");
            path
        };
        let source = open(&write(&arrays), network).expect("opens");
        let model = load::load(network, source.as_ref(), Missing::KeepFresh, &Device::flex()).expect("loads");
        let loaded = manifest::tensors_of(network, model.as_ref());
        let theirs = |name: &str| arrays.iter().find(|(known, ..)| known == name).expect("an array").2.clone();
        let query = theirs("Transformer/encoderblock_0/MultiHeadDotProductAttention_1/query/kernel");
        let ours = &loaded["transformer.encoder.layer.0.attn.query.weight"].1;
        // Output 3 of input 5, in rows of 8.
        assert_eq!(ours[3 * 8 + 5], query[5 * 8 + 3]);
        let (root, ours) =
            (theirs("conv_root/kernel"), &loaded["transformer.embeddings.hybrid_model.root.conv.weight"].1);
        // Row 2 and column 4 of a 7×7 kernel, input 1 of 3, output 3 of 4.
        assert_eq!(ours[((3 * 3 + 1) * 7 + 2) * 7 + 4], root[((2 * 7 + 4) * 3 + 1) * 4 + 3]);
        assert_eq!(loaded["transformer.embeddings.position_embeddings"].0, [1, 36, 8]);
        arrays.pop();
        let error = open(&write(&arrays), network).err().expect("a missing array").to_string();
        assert!(error.contains("Transformer/encoder_norm/bias"), "{error}");
    }
}
