//! What either side of the game is to make small, from the discriminator's logits.

use std::str::FromStr;

use burn::tensor::{Tensor, activation};
use serde::{Deserialize, Serialize};

/// A pair of losses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// Cross-entropy, and for the generator that of the other answer (Goodfellow et al. 2014):
    /// the logistic loss of StyleGAN and the BCE of DCGAN are this.
    #[default]
    NonSaturating,
    /// Least squares with targets 1 for real, 0 for generated (Mao et al. 2017).
    LeastSquares,
    /// (Lim and Ye 2017)
    Hinge,
    /// The critic's difference (Arjovsky et al. 2017); wants clipping or a penalty.
    Wasserstein,
}

impl Loss {
    pub const ALL: [Self; 4] =
        [Self::NonSaturating, Self::LeastSquares, Self::Hinge, Self::Wasserstein];

    pub const fn name(self) -> &'static str {
        match self {
            Self::NonSaturating => "non-saturating",
            Self::LeastSquares => "least-squares",
            Self::Hinge => "hinge",
            Self::Wasserstein => "wasserstein",
        }
    }

    /// The discriminator's loss `[1]`, of logits `[n]` of real and of generated pictures.
    pub fn of_discriminator(self, real: Tensor<1>, fake: Tensor<1>) -> Tensor<1> {
        match self {
            Self::NonSaturating => softplus(-real).mean() + softplus(fake).mean(),
            Self::LeastSquares => {
                ((real - 1.0).powi_scalar(2).mean() + fake.powi_scalar(2).mean()) * 0.5
            }
            Self::Hinge => {
                activation::relu(-real + 1.0).mean() + activation::relu(fake + 1.0).mean()
            }
            Self::Wasserstein => fake.mean() - real.mean(),
        }
    }

    /// The generator's loss `[1]`, of logits `[n]` of its pictures.
    pub fn of_generator(self, fake: Tensor<1>) -> Tensor<1> {
        match self {
            Self::NonSaturating => softplus(-fake).mean(),
            Self::LeastSquares => (fake - 1.0).powi_scalar(2).mean() * 0.5,
            Self::Hinge | Self::Wasserstein => -fake.mean(),
        }
    }
}

impl FromStr for Loss {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let names = Self::ALL.map(Self::name).join(", ");
        let found = Self::ALL.into_iter().find(|loss| loss.name() == text);
        found.ok_or_else(|| format!("'{text}' is no loss; there are {names}"))
    }
}

/// `ln(1 + eˣ)`, without overflow.
fn softplus(x: Tensor<1>) -> Tensor<1> {
    -activation::log_sigmoid(-x)
}
