//! Values of each layer as the published code computes them with the same weights
//! (`tests/fixtures/nets/make.py`), and what is compared with them.

use std::path::{Path, PathBuf};

use ganvas::checkpoint::{Checkpoint, Dtype};
use ganvas::nets::Planes;
use ganvas::zoo::Range;

/// Largest difference of a layer, relative to its largest value.
const TOLERANCE: f32 = 1e-4;

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub fn shipped(id: &str) -> PathBuf {
    root().join("models").join(id).join("weights.safetensors")
}

pub fn tiny(name: &str) -> PathBuf {
    root().join("tests/fixtures/checkpoints").join(name)
}

/// The recorded layers of one network, in the order of its forward pass.
pub struct Recorded {
    file: Checkpoint,
    /// Layer → name in the file and number of recorded channels.
    layers: Vec<(String, String, Vec<usize>)>,
    /// What the network is given, in order, with its shape.
    inputs: Vec<(Vec<f32>, [usize; 4])>,
    /// Pictures in the batch.
    pub count: usize,
    image: usize,
    pub compared: usize,
    worst: (f32, String),
}

impl Recorded {
    /// Inputs of 8 bits are pictures, which the network wants in `range`.
    pub fn open(name: &str, range: Range) -> Self {
        let path = root().join("tests/fixtures/nets").join(format!("{name}.safetensors"));
        let file = Checkpoint::open(&path).unwrap();
        let numbered = |(stored, info): (&str, ganvas::checkpoint::TensorInfo)| {
            let (_, layer) = stored.split_once('.')?;
            Some((layer.to_owned(), stored.to_owned(), info.shape))
        };
        let layers = file.tensors().filter_map(numbered).collect();
        let shapes = file.shapes();
        let named =
            |index: usize| if index == 0 { "input".to_owned() } else { format!("input{index}") };
        let inputs = (0..).map(named).take_while(|name| shapes.contains_key(name));
        let inputs: Vec<(Vec<f32>, [usize; 4])> = inputs
            .map(|name| {
                let shape: [usize; 4] = shapes[&name].as_slice().try_into().unwrap();
                let mut data = file.read_f32(&name).unwrap();
                if file.tensors().any(|(have, info)| have == name && info.dtype == Dtype::U8) {
                    let area = shape[2] * shape[3];
                    for (index, value) in data.iter_mut().enumerate() {
                        *value = range.of_unit(*value / 255.0, index / area % shape[1]);
                    }
                }
                (data, shape)
            })
            .collect();
        let count = inputs[0].1[0];
        Self { file, layers, inputs, count, image: 0, compared: 0, worst: (0.0, String::new()) }
    }

    /// What the network is given for picture `image` of the batch, whose layers come next.
    pub fn inputs(&mut self, image: usize) -> Vec<Planes> {
        self.image = image;
        let own = |(data, [batch, channels, height, width]): &(Vec<f32>, [usize; 4])| {
            assert_eq!(*batch, self.count);
            let len = channels * height * width;
            let data = data[image * len..][..len].to_vec();
            Planes { channels: *channels, height: *height, width: *width, data }
        };
        self.inputs.iter().map(own).collect()
    }

    /// Compares the first channels of `layer` where it was recorded.
    pub fn compare(&mut self, layer: &str, have: &Planes) {
        let Some((_, stored, recorded)) = self.layers.iter().find(|(name, ..)| name == layer)
        else {
            return;
        };
        let want = self.file.read_f32(stored).unwrap();
        let len = want.len() / self.count;
        let want = &want[self.image * len..][..len];
        assert_eq!(recorded[2..], [have.height, have.width], "{layer}");
        let top = want.iter().fold(0.0f32, |top, value| top.max(value.abs()));
        let mut worst = 0.0f32;
        for (have, want) in have.data.iter().zip(want) {
            assert!(have.is_finite(), "{layer} is not finite");
            worst = worst.max((have - want).abs() / top);
        }
        assert!(have.data.len() >= want.len(), "{layer}");
        assert!(worst <= TOLERANCE, "the first layer that differs is {layer}: by {worst:.1e}");
        self.compared += 1;
        if worst > self.worst.0 {
            self.worst = (worst, layer.to_owned());
        }
    }

    pub fn finish(self, what: &str) {
        assert_eq!(
            self.compared,
            self.layers.len() * self.count,
            "{what}: layers that were not shown"
        );
        println!("{what}: at most {:.1e} in {}", self.worst.0, self.worst.1);
    }
}

/// Each network: its weights and the record to compare with.
pub fn networks() -> Vec<(PathBuf, &'static str)> {
    let mut networks = vec![
        (tiny("tiny-x2.safetensors"), "tiny-x2"),
        (tiny("tiny-x1-bf16.safetensors"), "tiny-x1-bf16"),
        (tiny("tiny-srvgg.pth"), "tiny-srvgg"),
        (tiny("tiny-biggan-deep.safetensors"), "tiny-biggan-deep"),
        (tiny("tiny-dcgan.pth"), "tiny-dcgan"),
        (tiny("tiny-deeplab-mobile.pth"), "tiny-deeplab-mobile"),
        (tiny("tiny-deeplab-resnet.pth"), "tiny-deeplab-resnet"),
        (tiny("tiny-lama.ckpt"), "tiny-lama"),
        (tiny("tiny-migan.pt"), "tiny-migan"),
        (tiny("tiny-unet-bilinear.pth"), "tiny-unet-bilinear"),
        (tiny("tiny-unet-transposed.pth"), "tiny-unet-transposed"),
        (tiny("tiny-cyclegan.pth"), "tiny-cyclegan"),
        (tiny("tiny-cyclegan-affine.pth"), "tiny-cyclegan-affine"),
        (tiny("tiny-dncnn.pth"), "tiny-dncnn"),
        (tiny("tiny-dncnn-norm.pth"), "tiny-dncnn-norm"),
        (tiny("tiny-dncnn-unbiased.pth"), "tiny-dncnn-unbiased"),
        (tiny("tiny-pix2pix.pth"), "tiny-pix2pix"),
        (tiny("tiny-pix2pix-biased.pth"), "tiny-pix2pix-biased"),
        (tiny("tiny-pix2pix-resnet.pth"), "tiny-pix2pix-resnet"),
        (tiny("tiny-stylegan2.safetensors"), "tiny-stylegan2"),
        (tiny("tiny-stylegan2-clamp.safetensors"), "tiny-stylegan2-clamp"),
        (tiny("tiny-stylegan2-classes.safetensors"), "tiny-stylegan2-classes"),
        (tiny("tiny-stylegan2-orig.safetensors"), "tiny-stylegan2-orig"),
        (tiny("tiny-stylegan2-resnet.safetensors"), "tiny-stylegan2-resnet"),
        (tiny("tiny-stylegan2-rosinality.pt"), "tiny-stylegan2-rosinality"),
        (tiny("tiny-vgg.pth"), "tiny-vgg"),
        (tiny("tiny-zero-dce.pth"), "tiny-zero-dce"),
    ];
    for file in [
        "RealESRGAN_x4plus.pth",
        "data-parallel.pth",
        "ema-beside-raw.pth",
        "legacy.pth",
        "trunk-naming.pth",
        "old-naming.pth",
    ] {
        networks.push((tiny(file), "tiny-x4"));
    }
    for id in [
        "arbitrary-style-predict",
        "arbitrary-style-transform",
        "dcgan-digiface-64",
        "faceapi-age-gender",
        "faceapi-expression",
        "ffdnet-color",
        "mediapipe-blazeface-short",
        "mediapipe-face-landmark",
        "mediapipe-selfie-segmentation",
        "multistyle26",
        "realesr-animevideov3-x4",
        "realesrgan-x4plus-anime",
        "realesrgan-x4plus-int8",
        "zero-dce-neuro",
    ] {
        networks.push((shipped(id), id));
    }
    networks
}
