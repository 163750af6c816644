//! Files and other sources that contain tensors by name.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use burn::store::pytorch::PytorchReader;
use burn::store::pytorch_reader::DType as TorchType;
use safetensors::tensor::{Dtype, Metadata};

use super::WeightsError;

/// Tensors by the authors' key, read one at a time so that weights are never in memory twice.
pub trait TensorSource: Send + Sync {
    /// The path of the file, for messages.
    fn path(&self) -> &Path;

    /// The keys and shapes.
    fn shapes(&self) -> BTreeMap<String, Vec<usize>>;

    /// The values of one tensor in row-major order, converted to f32.
    ///
    /// # Errors
    /// The tensor does not exist or cannot be read.
    fn read(&self, name: &str) -> Result<Vec<f32>, WeightsError>;

    /// The prefix of every key in the file, which is omitted here.
    fn prefix(&self) -> &str {
        ""
    }

    /// Messages for the user about the file, for example that it contains more than was used.
    fn notices(&self) -> &[String] {
        &[]
    }
}

/// Opens a `.safetensors` file or a PyTorch checkpoint, distinguished by content, under the names in the file.
/// [`super::roots`] maps them to those of a network.
///
/// # Errors
/// The file cannot be read or has neither format.
pub fn open(path: &Path) -> Result<Box<dyn TensorSource>, WeightsError> {
    let mut head = [0u8; 9];
    let mut file = File::open(path).map_err(|error| {
        WeightsError::file(path, format!("the weights cannot be opened ({error}); check the path"))
    })?;
    let read = file.read(&mut head).map_err(|error| {
        WeightsError::file(path, format!("the weights cannot be read ({error}); is it a file?"))
    })?;
    // A safetensors file starts with the length of its header, which is JSON.
    if read == 9 && head[8] == b'{' {
        Ok(Box::new(SafetensorsFile::open(path)?))
    } else {
        Ok(Box::new(TorchFile::open(path)?))
    }
}

#[derive(Clone)]
struct Entry {
    dtype: Dtype,
    shape: Vec<usize>,
    start: u64,
    length: usize,
}

/// A `.safetensors` file.
pub struct SafetensorsFile {
    path: PathBuf,
    entries: BTreeMap<String, Entry>,
}

const MEND: &str = "copy or download it again";

impl SafetensorsFile {
    /// Reads the header and checks that the file has the announced length.
    ///
    /// # Errors
    /// The file cannot be read, is truncated or is damaged.
    pub fn open(path: &Path) -> Result<Self, WeightsError> {
        let fail = |reason: String| WeightsError::file(path, reason);
        let mut file = File::open(path)
            .map_err(|error| fail(format!("the weights cannot be opened ({error}); check the path")))?;
        let size = file.metadata().map_err(|error| fail(format!("{error}; {MEND}")))?.len();
        let mut prefix = [0u8; 8];
        file.read_exact(&mut prefix)
            .map_err(|_| fail(format!("the safetensors file is empty or cut off; {MEND}")))?;
        let header_length = u64::from_le_bytes(prefix);
        if header_length > size.saturating_sub(8) || header_length > 100_000_000 {
            return Err(fail(format!("the safetensors header is cut off or damaged; {MEND}")));
        }
        let mut header = vec![0; header_length as usize];
        file.read_exact(&mut header).map_err(|error| fail(format!("{error}; {MEND}")))?;
        // This checks that the tensors are stored without gaps and have the length that their shapes imply.
        let metadata: Metadata = serde_json::from_slice(&header)
            .map_err(|error| fail(format!("the safetensors header is damaged ({error}); {MEND}")))?;
        let data_start = 8 + header_length;
        let mut entries = BTreeMap::new();
        let mut end = 0u64;
        for (name, info) in metadata.tensors() {
            end = end.max(info.data_offsets.1 as u64);
            let entry = Entry {
                dtype: info.dtype,
                shape: info.shape.clone(),
                start: data_start + info.data_offsets.0 as u64,
                length: info.data_offsets.1 - info.data_offsets.0,
            };
            entries.insert(name, entry);
        }
        if data_start + end > size {
            return Err(fail(format!(
                "the safetensors file is cut off: {} bytes are announced, {size} are there; {MEND}",
                data_start + end
            )));
        }
        Ok(Self { path: path.to_path_buf(), entries })
    }
}

impl TensorSource for SafetensorsFile {
    fn path(&self) -> &Path {
        &self.path
    }

    fn shapes(&self) -> BTreeMap<String, Vec<usize>> {
        self.entries.iter().map(|(name, entry)| (name.clone(), entry.shape.clone())).collect()
    }

    fn read(&self, name: &str) -> Result<Vec<f32>, WeightsError> {
        let fail = |reason: String| WeightsError::file(&self.path, reason);
        let entry = self.entries.get(name).ok_or_else(|| fail(format!("there is no tensor {name}; {MEND}")))?;
        let mut file =
            File::open(&self.path).map_err(|error| fail(format!("the weights cannot be opened ({error})")))?;
        file.seek(SeekFrom::Start(entry.start)).map_err(|error| fail(format!("{error}; {MEND}")))?;
        if entry.dtype == Dtype::F32 && cfg!(target_endian = "little") {
            // In the most common case, no second copy is made.
            let mut values = vec![0f32; entry.length / 4];
            file.read_exact(bytemuck::cast_slice_mut(&mut values))
                .map_err(|error| fail(format!("{name} cannot be read ({error}); {MEND}")))?;
            return Ok(values);
        }
        let mut bytes = vec![0u8; entry.length];
        file.read_exact(&mut bytes).map_err(|error| fail(format!("{name} cannot be read ({error}); {MEND}")))?;
        decode(entry.dtype, &bytes).ok_or_else(|| {
            fail(format!("{name} holds {:?}; save the weights as floating-point numbers", entry.dtype))
        })
    }
}

/// Converts the bytes of a tensor in a safetensors file to f32; `None` for types that weights do not have.
pub(super) fn decode(dtype: Dtype, bytes: &[u8]) -> Option<Vec<f32>> {
    let kind = match dtype {
        Dtype::F32 => Number::F32,
        Dtype::F16 => Number::F16,
        Dtype::BF16 => Number::BF16,
        Dtype::F64 => Number::F64,
        Dtype::I64 => Number::I64,
        _ => return None,
    };
    Some(kind.decode(bytes))
}

/// A checkpoint saved by PyTorch. The pickle is parsed and never executed.
pub struct TorchFile {
    path: PathBuf,
    reader: PytorchReader,
}

impl TorchFile {
    /// Opens a state dictionary, or any other nesting of dictionaries that contains tensors. Keys are joined by
    /// dots: the network's keys in a Lightning checkpoint have the prefix `state_dict.model.`.
    ///
    /// # Errors
    /// The file is not a PyTorch checkpoint or contains no tensors.
    pub fn open(path: &Path) -> Result<Self, WeightsError> {
        // The reader reports damage as errors, but a malicious file must not crash the program with a panic.
        let opened = std::panic::catch_unwind(|| PytorchReader::new(path));
        let reader = match opened {
            Ok(Ok(reader)) if !reader.is_empty() => reader,
            Ok(Ok(_)) => {
                return Err(WeightsError::file(
                    path,
                    "the checkpoint holds no tensors; choose the file with the weights",
                ));
            }
            Ok(Err(error)) => {
                let reason = format!(
                    "this is neither a safetensors file nor a readable PyTorch checkpoint ({}); {MEND}",
                    one_line(&error.to_string())
                );
                return Err(WeightsError::file(path, reason));
            }
            Err(_) => return Err(WeightsError::file(path, format!("the PyTorch checkpoint is damaged; {MEND}"))),
        };
        Ok(Self { path: path.to_path_buf(), reader })
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl TensorSource for TorchFile {
    fn path(&self) -> &Path {
        &self.path
    }

    fn shapes(&self) -> BTreeMap<String, Vec<usize>> {
        self.reader.tensors().iter().map(|(name, tensor)| (name.clone(), tensor.shape().to_vec())).collect()
    }

    fn read(&self, name: &str) -> Result<Vec<f32>, WeightsError> {
        let fail = |reason: String| WeightsError::file(&self.path, reason);
        let tensor = self.reader.get(name).ok_or_else(|| fail(format!("there is no tensor {name}; {MEND}")))?;
        let kind = match tensor.dtype() {
            TorchType::F32 => Number::F32,
            TorchType::F16 => Number::F16,
            TorchType::BF16 => Number::BF16,
            TorchType::F64 => Number::F64,
            TorchType::I64 => Number::I64,
            other => {
                return Err(fail(format!("{name} holds {other:?}; save the weights as floating-point numbers")));
            }
        };
        let bytes = tensor.read().map_err(|error| fail(format!("{name} cannot be read ({error}); {MEND}")))?;
        Ok(kind.decode(&bytes))
    }
}

#[derive(Clone, Copy)]
enum Number {
    F32,
    F16,
    BF16,
    F64,
    I64,
}

impl Number {
    /// Converts little-endian bytes to f32. Trailing bytes that do not form a complete number are ignored; the
    /// caller has checked the length.
    fn decode(self, bytes: &[u8]) -> Vec<f32> {
        fn each<const N: usize>(bytes: &[u8], convert: impl Fn([u8; N]) -> f32) -> Vec<f32> {
            bytes.as_chunks::<N>().0.iter().map(|chunk| convert(*chunk)).collect()
        }
        match self {
            Self::F32 => each(bytes, f32::from_le_bytes),
            Self::F16 => each(bytes, |b| half::f16::from_le_bytes(b).to_f32()),
            Self::BF16 => each(bytes, |b| half::bf16::from_le_bytes(b).to_f32()),
            Self::F64 => each(bytes, |b| f64::from_le_bytes(b) as f32),
            Self::I64 => each(bytes, |b| i64::from_le_bytes(b) as f32),
        }
    }
}
