//! How near drawn pictures come to real ones, some hundred of either kind: what a run that learns
//! is measured by, and which of the installed networks looks.

use std::ops::Range;

use serde::Serialize;

use super::features::{FeatureNetwork, Seen};
use super::models::ModelStore;
use super::protocol::ModelRef;
use super::worker::NetworkError;
use crate::color::WorkingProfile;
use crate::geom::Size;
use crate::metrics::{Reservoir, Subsets, frechet_distance_of_few, kernel_distance};
use crate::nets::InceptionVariant;
use crate::nets::cpu::Stop;
use crate::pixels::PixelBuf;
use crate::zoo::{Library, Purpose, Spec, open_network};

/// Pictures that are asked for at once.
const AT_ONCE: usize = 32;
/// Pairs of neighbours whose difference is looked at.
const PAIRS: usize = 64;
/// Shortest side that is left something of by the networks of LPIPS.
const LEAST_SIDE: u32 = 32;

/// What pictures are looked at for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// Features of sets of pictures.
    Sets,
    /// Classes of each picture.
    Classes,
    /// How different two pictures look.
    Pairs,
    /// The same, along the paths of a generator.
    Paths,
}

/// Whether a network is of one kind.
type Is = fn(&Spec) -> bool;

const FID: Is =
    |spec| matches!(spec, Spec::Inception(net) if net.variant() == InceptionVariant::Fid);
const INCEPTION: Is = |spec| matches!(spec, Spec::Inception(_));
const ALEX_NET: Is = |spec| matches!(spec, Spec::AlexNet(_));
const VGG16: Is = |spec| matches!(spec, Spec::Vgg(net) if net.blocks.concat().len() == 13);
const SQUEEZE_NET: Is = |spec| matches!(spec, Spec::SqueezeNet(_));
const SUBSTITUTE: Is = |spec| matches!(spec, Spec::StylePredictor(_));

impl Aim {
    /// The networks that serve it, the best first.
    const fn wants(self) -> &'static [Is] {
        match self {
            Self::Sets => &[FID, INCEPTION, SUBSTITUTE],
            // Nothing else that is at hand knows classes.
            Self::Classes => &[FID, INCEPTION],
            Self::Pairs => &[ALEX_NET, VGG16, SQUEEZE_NET, SUBSTITUTE],
            Self::Paths => &[VGG16, ALEX_NET, SQUEEZE_NET, SUBSTITUTE],
        }
    }

    pub fn is_served_by(self, spec: &Spec) -> bool {
        self.wants().iter().any(|is| is(spec))
    }

    /// The best network for it that is installed.
    pub fn best(self, library: &Library) -> Option<ModelRef> {
        let purposes = [Purpose::Judge, Purpose::Features, Purpose::StyleVector];
        let installed = library.list().0.into_iter();
        let specs: Vec<_> = installed
            .filter(|model| purposes.contains(&model.manifest.purpose))
            .filter_map(|model| {
                Some((open_network(&model.weights).ok()?.1.spec, model.manifest.id))
            })
            .collect();
        let best = self.wants().iter().find_map(|is| specs.iter().find(|(spec, _)| is(spec)));
        best.map(|(_, id)| ModelRef::Id(id.clone()))
    }
}

/// What came of a look.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Examination {
    /// What looked at the pictures.
    pub features: &'static str,
    /// `FID`, or what stands for it.
    pub metric: String,
    /// Whether it means what published numbers mean, but for the count of pictures.
    pub is_published: bool,
    /// Pictures of either side.
    pub real: usize,
    pub drawn: usize,
    /// The Fréchet distance, 0 and up. Too large for so few pictures, by as much each time.
    pub fid: f64,
    /// The kernel distance: fair for few pictures, hence negative at times.
    pub kid: f64,
    /// Mean LPIPS of two drawn pictures, and of two real ones; not of pictures below 32 pixels.
    pub lpips: Option<[f64; 2]>,
}

impl Examination {
    /// How various drawn pictures look, 1 where they are as various as real ones.
    pub fn diversity(&self) -> Option<f64> {
        self.lpips.map(|[drawn, real]| drawn / real.max(1e-9))
    }
}

/// Pictures by number, in sRGB; fewer where there are no more.
pub type Pictures<'a> = &'a mut dyn FnMut(Range<usize>) -> Vec<PixelBuf>;

/// Networks that look at pictures, and what they have seen of real ones.
pub struct Examiner {
    sets: FeatureNetwork,
    pairs: Option<FeatureNetwork>,
    real: Option<Side>,
}

/// What was seen of the pictures of one side.
struct Side {
    features: Reservoir,
    /// Mean difference of two of them.
    apart: Option<f64>,
}

impl Examiner {
    /// With a network for sets, and one for pairs if there is any.
    pub const fn new(sets: FeatureNetwork, pairs: Option<FeatureNetwork>) -> Self {
        Self { sets, pairs, real: None }
    }

    /// With the best that is installed; `None` where nothing that looks at sets is. Nothing stands
    /// for the networks of LPIPS here.
    ///
    /// # Errors
    /// A sentence where a network cannot be loaded.
    pub fn of(store: &ModelStore) -> Result<Option<Self>, String> {
        let Some(sets) = Aim::Sets.best(store.library()) else { return Ok(None) };
        let pairs = Aim::Pairs.best(store.library()).map(|model| store.features(&model));
        let pairs = pairs.transpose()?.filter(|network| network.judge().is_lpips());
        Ok(Some(Self::new(store.features(&sets)?, pairs)))
    }

    /// Looks at `count` pictures of either side at most. Real ones are asked for the first time
    /// only.
    ///
    /// # Errors
    /// Those of the networks and of too few pictures; [`NetworkError::Stopped`] when `stop`
    /// answered true, which it is asked between pictures.
    pub fn examine(
        &mut self,
        count: usize,
        real: Pictures<'_>,
        drawn: Pictures<'_>,
        stop: Stop<'_>,
    ) -> Result<Examination, NetworkError> {
        if self.real.is_none() {
            self.real = Some(self.look(count, real, stop)?);
        }
        let drawn = self.look(count, drawn, stop)?;
        let Some(real) = &self.real else { return Err(NetworkError::Stopped) };
        let failed = |err: crate::metrics::MetricsError| NetworkError::Failed(err.to_string());
        let judge = self.sets.judge();
        let kid = kernel_distance(&real.features, &drawn.features, Subsets::default());
        Ok(Examination {
            features: judge.name(),
            metric: format!("{}FID", judge.prefix()),
            is_published: judge.prefix().is_empty(),
            real: real.features.len(),
            drawn: drawn.features.len(),
            fid: frechet_distance_of_few(&real.features, &drawn.features).map_err(failed)?,
            kid: kid.map_err(failed)?.mean,
            lpips: drawn.apart.zip(real.apart).map(|(drawn, real)| [drawn, real]),
        })
    }

    fn look(
        &self,
        count: usize,
        pictures: Pictures<'_>,
        stop: Stop<'_>,
    ) -> Result<Side, NetworkError> {
        let failed = |err: &dyn std::fmt::Display| NetworkError::Failed(err.to_string());
        let mut kept: Option<Reservoir> = None;
        let (mut before, mut apart): (Option<Seen>, Vec<f64>) = (None, Vec::new());
        for start in (0..count).step_by(AT_ONCE) {
            if stop() {
                return Err(NetworkError::Stopped);
            }
            for picture in pictures(start..(start + AT_ONCE).min(count)) {
                let see = |network: &FeatureNetwork| -> Result<Seen, NetworkError> {
                    let read = network.reader().read(&picture, &WorkingProfile::srgb());
                    network.see(read.map_err(|err| failed(&err))?, stop)
                };
                let seen = see(&self.sets)?;
                let features = seen.features();
                let new = || Reservoir::new(features.len(), count, 0);
                kept.get_or_insert_with(new).push(features).map_err(|err| failed(&err))?;
                let Size { width, height } = picture.size();
                let is_wanted = apart.len() < PAIRS && width.min(height) >= LEAST_SIDE;
                if let Some(network) = self.pairs.as_ref().filter(|_| is_wanted) {
                    let now = see(network)?;
                    if let Some(before) = &before {
                        let distance = network.distance(before, &now);
                        apart.push(distance.map_err(|err| failed(&err))?);
                    }
                    before = Some(now);
                }
                if stop() {
                    return Err(NetworkError::Stopped);
                }
            }
        }
        let features = kept.unwrap_or_else(|| Reservoir::new(0, 0, 0));
        let mean = apart.iter().sum::<f64>() / apart.len() as f64;
        Ok(Side { features, apart: (!apart.is_empty()).then_some(mean) })
    }
}
