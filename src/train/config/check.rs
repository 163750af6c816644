//! Checks of the values of the settings.

use super::TrainConfig;

impl TrainConfig {
    /// Checks the values.
    ///
    /// # Errors
    /// A value is out of range, there is nothing to train on, or a path is not Unicode.
    pub fn validate(&self) -> Result<(), String> {
        let positive = [
            ("epochs", self.epochs),
            ("batch_size", self.batch_size),
            ("accumulate", self.accumulate),
            ("cosine_epochs", self.cosine_epochs),
        ];
        if let Some((name, _)) = positive.iter().find(|(_, value)| *value == 0) {
            return Err(format!("{name} is 0; it must be at least 1"));
        }
        if self.image_size == Some(0) {
            return Err("image_size is 0; it is a number of pixels, such as 128".into());
        }
        if self.data.is_empty() && self.phantoms == 0 {
            return Err(
                "There is nothing to train on; name a data set (data), or set phantoms to a number above 0."
                    .into(),
            );
        }
        let mut folders = self.data.iter().chain([&self.out]).chain(&self.start);
        if let Some(path) = folders.find(|path| path.to_str().is_none()) {
            return Err(format!(
                "{}: the settings of a run are kept as text, and this name is not Unicode; rename the folder, or make a link to it",
                path.display()
            ));
        }
        self.check_weights()?;
        self.check_optimiser()?;
        self.check_loss()?;
        if let Some((name, _)) = self.chances().iter().find(|(_, value)| !(0.0..=1.0).contains(value)) {
            return Err(format!("{name} is out of range; a probability lies between 0 and 1"));
        }
        if self.checkpoint_minutes.is_nan() || self.checkpoint_minutes <= 0.0 {
            return Err("checkpoint_minutes is not positive; 10 is usual".into());
        }
        self.device.parse::<crate::device::DeviceChoice>().map(|_| ())
    }

    fn check_weights(&self) -> Result<(), String> {
        let weights = &self.weight;
        if weights.is_empty() {
            return Ok(());
        }
        if weights.len() != self.data.len() {
            return Err(format!(
                "weight has {} numbers and there are {} data sets; give one number for each data set, in their order, or none",
                weights.len(),
                self.data.len()
            ));
        }
        if let Some(weight) = weights.iter().find(|weight| !(weight.is_finite() && **weight >= 0.0)) {
            return Err(format!("weight contains {weight}; a weight is 0 or a positive number"));
        }
        if weights.iter().sum::<f64>() <= 0.0 {
            return Err(
                "weight sums to 0, so no data set would be trained on; give one of them a positive weight".into(),
            );
        }
        Ok(())
    }

    fn check_optimiser(&self) -> Result<(), String> {
        if !(self.lr > 0.0 && self.lr.is_finite()) {
            return Err("lr is not positive; 3e-4 is the paper's".into());
        }
        if !(0.0..=self.lr).contains(&self.min_lr) {
            return Err("min_lr is out of range; it must lie between 0 and lr".into());
        }
        if !(0.0..1.0).contains(&self.weight_decay) {
            return Err("weight_decay is out of range; it must lie between 0 and 1".into());
        }
        if !(0.0..1.0).contains(&self.momentum) {
            return Err("momentum is out of range; it must lie between 0 and 1, and 0.9 is usual".into());
        }
        if !(0.0..1.0).contains(&self.ema_decay) {
            return Err("ema_decay is out of range; it must be 0 or lie between 0 and 1, such as 0.999".into());
        }
        let not_negative = [("warmup_epochs", self.warmup_epochs), ("clip_norm", self.clip_norm)];
        match not_negative.iter().find(|(_, value)| !(value.is_finite() && *value >= 0.0)) {
            Some((name, _)) => Err(format!("{name} is out of range; it must be 0 or a positive number")),
            None => Ok(()),
        }
    }

    fn check_loss(&self) -> Result<(), String> {
        if !(0.0..=10.0).contains(&self.focal_gamma) {
            return Err("focal_gamma is out of range; it must lie between 0 and 10, and 2 is usual".into());
        }
        if !(self.tversky_alpha > 0.0 && self.tversky_alpha < 1.0) {
            return Err("tversky_alpha is out of range; it must lie between 0 and 1, and 0.3 is usual".into());
        }
        match self.stage_losses.iter().find(|weight| !(weight.is_finite() && **weight >= 0.0)) {
            Some(weight) => Err(format!("stage_losses contains {weight}; a weight is 0 or a positive number")),
            None => Ok(()),
        }
    }

    /// The settings that are probabilities or shares.
    fn chances(&self) -> [(&'static str, f64); 24] {
        [
            ("hard_examples", self.hard_examples),
            ("zoom", self.zoom),
            ("flip", self.flip),
            ("gamma", self.gamma),
            ("rotate", self.rotate),
            ("scale", self.scale),
            ("elastic", self.elastic),
            ("brightness", self.brightness),
            ("contrast", self.contrast),
            ("clahe", self.clahe),
            ("blur", self.blur),
            ("noise", self.noise),
            ("jpeg", self.jpeg),
            ("cutout", self.cutout),
            ("reword", self.reword),
            ("reorder", self.reorder),
            ("drop_parts", self.drop_parts),
            ("report", self.report),
            ("empty_sentence", self.empty_sentence),
            ("denied", self.denied),
            ("irrelevant", self.irrelevant),
            ("single_side", self.single_side),
            ("single_place", self.single_place),
            ("absent_place", self.absent_place),
        ]
    }
}
