//! The network with a text encoder, and the executor against it.

use burn::module::Module;
use burn::tensor::{Device, Distribution, Int, Tensor};

use super::config::LViTConfig;
use super::model::LViT;
use crate::model::Target;
use crate::model::network::{Inputs, Model, Tokens};
use crate::model::trace::Trace;

fn small() -> LViTConfig {
    let text = r#"{"base_channels": 8, "image_size": 32, "patches": 4, "text_tokens": 3, "text_size": 12,
        "text_encoder": {"kind": "other", "token_limit": 7, "sizes": {"vocab_size": 20, "hidden_size": 12,
        "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16, "max_position_embeddings": 8}}}"#;
    serde_json::from_str(text).expect("sizes")
}

#[test]
fn the_executor_reads_tokens_as_the_network_does() {
    let device = Device::flex();
    device.seed(5);
    let model = LViT::new(&small(), &device).expect("a network");
    let image = Tensor::<4>::random([1, 3, 32, 32], Distribution::Uniform(0.0, 1.0), &device);
    let ids = Tensor::<2, Int>::from_data([[2, 5, 6, 7, 8, 3, 0]], &device);
    let mask = Tensor::<2, Int>::from_data([[1, 1, 2, 1, 1, 1, 0]], &device);
    let tokens = Tokens { ids, mask };
    let expected = model.forward(Inputs::new(image.clone()).with_tokens(Some(tokens.clone())), &mut Trace::off());
    let conditioned = model.text_conditioned().expect("it has an encoder");
    let states = conditioned.text_states(tokens.clone(), &mut Trace::off());
    let again = conditioned.forward_from(image.clone(), &states, &mut Trace::off());
    assert_eq!((again - expected.clone()).abs().max().into_scalar::<f32>(), 0.0);
    let others = Tokens { ids: tokens.ids.clone() + 1, mask: tokens.mask.clone() };
    let executor = Box::new(model).prepare(&Target::single(&device));
    let shared = executor.share().expect("it can be shared");
    let features = executor.encode_image(image);
    let ours = executor.decode(&features, &executor.encode_text(tokens));
    let apart = (ours.clone() - expected.clone()).abs().max().into_scalar::<f32>();
    let scale = expected.abs().max().into_scalar::<f32>();
    assert!(apart <= 1e-4 * scale, "{apart} of {scale}");
    let other = shared.decode(&features, &shared.encode_text(others));
    assert!((other - ours).abs().max().into_scalar::<f32>() > 0.0, "another prompt gives another mask");
}

#[test]
fn only_the_text_encoder_is_frozen() {
    let device = Device::flex().autodiff();
    let model = Box::new(LViT::new(&small(), &device).expect("a network")).freeze_text();
    model.visit_parameters(&mut |path, parameter| {
        let is_trained = !path.starts_with("encoder.") && !path.contains("running_");
        assert_eq!(parameter.is_trained(), is_trained, "{path}");
    });
    let model = model.into_any().downcast::<LViT>().expect("an LViT");
    assert!(model.num_params() > 0);
}
