//! Whole runs, small.

use std::sync::atomic::{AtomicUsize, Ordering};

use burn::tensor::Device;
use ganvas::latent::random::Normal;
use ganvas::train::{
    Ada, Arch, BEST_FILE, Config, Dataset, Loss, PathPenalty, Penalty, STATE_FILE, TrainError,
    Trainer, WEIGHTS_FILE, config_of, middle,
};
use ganvas::zoo::open_network;

use super::data::folder_of;

fn tiny(arch: Arch) -> Config {
    Config {
        channel_base: 64,
        channel_max: 8,
        z_dim: 8,
        mapping_layers: 2,
        batch: 4,
        ..Config::new(arch, 8)
    }
}

fn trainer(config: Config) -> Trainer {
    let folder = folder_of(104);
    let data = Dataset::open(folder.path(), config.side, &middle, 0, None, &|_, _| true).unwrap();
    Trainer::new(config, data, &Device::flex()).unwrap()
}

/// A ring of radius 1.
fn ring() -> Dataset {
    let numbers = (0..1000).flat_map(|at| {
        let angle = at as f32 * 0.017 * std::f32::consts::PI;
        [angle.cos(), angle.sin()]
    });
    Dataset::of_numbers([2, 1, 1], numbers.collect())
}

#[test]
fn every_setting_takes_steps_and_changes_both_sides() {
    let configs = [
        tiny(Arch::Dcgan),
        Config { loss: Loss::Hinge, spectral_norm: true, ..tiny(Arch::Dcgan) },
        Config {
            loss: Loss::Wasserstein,
            penalty: Penalty::Between { lambda: 10.0 },
            judge_steps: 2,
            ..tiny(Arch::Dcgan)
        },
        Config { loss: Loss::Wasserstein, clip_weights: Some(0.01), ..tiny(Arch::Dcgan) },
        Config { penalty: Penalty::R1 { gamma: 1.0, every: 2 }, ..tiny(Arch::StyleGan2) },
        Config {
            ada: Ada::Fixed { probability: 0.9 },
            path_penalty: Some(PathPenalty { every: 2, ..PathPenalty::of(2.0) }),
            clip_gradient: Some(0.1),
            loss: Loss::LeastSquares,
            freeze_judge: 1,
            ..tiny(Arch::StyleGan2)
        },
    ];
    for config in configs {
        let mut trainer = trainer(config.clone());
        let before = trainer.samples(2);
        let mut report = None;
        for _ in 0..3 {
            report = Some(trainer.step().unwrap());
        }
        let report = report.unwrap();
        assert_eq!((report.steps, report.images), (3, 12 * config.judge_steps));
        assert_eq!(report.path_length.is_some(), config.path_penalty.is_some());
        assert!(report.path_length.is_none_or(|length| length.is_finite() && length > 0.0));
        assert_ne!(trainer.samples(2), before, "{config:?}");
        let shot = trainer.snapshot(4, Some(&report));
        assert_eq!(shot.pictures.len(), 4);
        assert!(shot.alarm.is_none() && shot.diversity.is_finite());
    }
}

#[test]
fn a_run_goes_on_as_if_it_had_not_been_killed() {
    let path_penalty = Some(PathPenalty { every: 2, ..PathPenalty::of(2.0) });
    for config in [tiny(Arch::Dcgan), Config { path_penalty, ..tiny(Arch::StyleGan2) }] {
        let folder = tempfile::tempdir().unwrap();
        let mut whole = trainer(config.clone());
        for _ in 0..6 {
            whole.step().unwrap();
        }
        let mut first = trainer(config.clone());
        for _ in 0..3 {
            first.step().unwrap();
        }
        first.save(folder.path()).unwrap();
        drop(first);
        assert_eq!(config_of(folder.path()).unwrap(), config);
        let mut second = trainer(config.clone());
        second.restore(folder.path()).unwrap();
        assert_eq!(second.images(), 12);
        // Who looks at a run does not change it.
        let (drawn, real) = (second.drawn(3..5), second.real(0..5));
        assert_eq!((drawn.len(), real.len()), (2, 5));
        assert!(second.drawn(4..5)[0] == drawn[1] && drawn[0] != drawn[1]);
        for _ in 0..3 {
            second.step().unwrap();
        }
        assert_eq!(second.weights_file().unwrap(), whole.weights_file().unwrap());
        // A state of other settings, a damaged one, none.
        let mut other = trainer(Config { seed: 5, ..config.clone() });
        let error = other.restore(folder.path()).unwrap_err().to_string();
        assert!(error.contains("other settings"), "{error}");
        let path = folder.path().join(STATE_FILE);
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 9]).unwrap();
        assert!(matches!(second.restore(folder.path()), Err(TrainError::State { .. })));
        std::fs::remove_file(&path).unwrap();
        assert!(second.restore(folder.path()).is_err());
    }
}

#[test]
fn a_run_that_goes_wrong_leaves_its_last_state() {
    let folder = tempfile::tempdir().unwrap();
    let mut trainer = trainer(Config { rates: [1e30; 2], ..tiny(Arch::Dcgan) });
    trainer.save(folder.path()).unwrap();
    let files = || [STATE_FILE, WEIGHTS_FILE].map(|name| std::fs::read(folder.path().join(name)));
    let before = files().map(Result::unwrap);
    let error = (0..20).find_map(|_| trainer.step().err()).unwrap();
    assert!(matches!(error, TrainError::Diverged { .. }), "{error}");
    let error = trainer.save(folder.path()).unwrap_err().to_string();
    assert!(error.contains("not finite"), "{error}");
    assert_eq!(files().map(Result::unwrap), before);
}

#[test]
fn a_step_that_is_stopped_between_its_parts_has_not_been() {
    let path_penalty = Some(PathPenalty { every: 1, ..PathPenalty::of(2.0) });
    let penalty = Penalty::R1 { gamma: 1.0, every: 1 };
    let spectral_norm = true;
    for (config, parts) in [
        (Config { path_penalty, penalty, ..tiny(Arch::StyleGan2) }, 4),
        (Config { spectral_norm, judge_steps: 2, ..tiny(Arch::Dcgan) }, 3),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let state = |of: &Trainer| {
            of.save(folder.path()).unwrap();
            std::fs::read(folder.path().join(STATE_FILE)).unwrap()
        };
        let (mut stopped, mut whole) = (trainer(config.clone()), trainer(config.clone()));
        stopped.step().unwrap();
        whole.step().unwrap();
        let before = state(&stopped);
        for part in 0..parts {
            let asked = AtomicUsize::new(0);
            let stop = || asked.fetch_add(1, Ordering::Relaxed) == part;
            let found = stopped.step_until(&stop);
            assert!(matches!(found, Err(TrainError::Stopped)), "{part}");
            assert!(state(&stopped) == before, "{part}");
        }
        // It is asked no more often, and goes on as if it had not been.
        let asked = AtomicUsize::new(0);
        let count = || asked.fetch_add(1, Ordering::Relaxed) == usize::MAX;
        stopped.step_until(&count).unwrap();
        assert_eq!(asked.into_inner(), parts);
        whole.step().unwrap();
        assert_eq!(stopped.weights_file().unwrap(), whole.weights_file().unwrap());
    }
}

#[test]
fn what_is_shown_is_drawn_once_and_is_the_same_for_all() {
    let mut run = trainer(tiny(Arch::StyleGan2));
    let first = run.samples(3);
    let many = run.samples(40);
    assert_eq!((first.len(), many.len()), (3 * 192, 40 * 192));
    assert_eq!(first, many[..first.len()]);
    assert_eq!(run.samples(3), first);
    run.step().unwrap();
    assert_ne!(run.samples(3), first);
}

#[test]
fn the_best_is_kept_by_one_figure_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = trainer(tiny(Arch::Dcgan));
    let best = || std::fs::read(folder.path().join(BEST_FILE)).unwrap();
    assert!(run.keep_nearest(folder.path(), 5.0).unwrap());
    let first = best();
    run.step().unwrap();
    assert!(!run.keep_nearest(folder.path(), 6.0).unwrap() && best() == first);
    // What measures better begins anew, and goes before.
    assert!(run.keep_best(folder.path(), 90.0, "FID").unwrap() && best() != first);
    assert!(!run.keep_nearest(folder.path(), 1.0).unwrap());
    assert!(!run.keep_best(folder.path(), f64::NAN, "FID").unwrap());
    run.save(folder.path()).unwrap();
    let mut later = trainer(tiny(Arch::Dcgan));
    later.restore(folder.path()).unwrap();
    assert!(!later.keep_best(folder.path(), 90.0, "FID").unwrap());
    assert!(later.keep_best(folder.path(), 89.0, "FID").unwrap());
}

#[test]
fn what_was_learnt_opens_as_a_generator() {
    for (config, architecture) in
        [(tiny(Arch::Dcgan), "DCGAN"), (tiny(Arch::StyleGan2), "StyleGAN2")]
    {
        let folder = tempfile::tempdir().unwrap();
        let mut trainer = trainer(config);
        trainer.step().unwrap();
        trainer.save(folder.path()).unwrap();
        let (_, detected) = open_network(&folder.path().join(WEIGHTS_FILE)).unwrap();
        let found = detected.spec.architecture();
        assert!(found.contains(architecture), "{found}");
    }
}

#[test]
fn points_learn_to_lie_on_a_ring() {
    let mut trainer = Trainer::new(Config::new(Arch::Points, 1), ring(), &Device::flex()).unwrap();
    let off_ring = |trainer: &mut Trainer| {
        let points = trainer.samples(500);
        let off = points.chunks_exact(2).map(|p| (p[0].hypot(p[1]) - 1.0).abs());
        off.sum::<f32>() / 500.0
    };
    let before = off_ring(&mut trainer);
    for _ in 0..600 {
        trainer.step().unwrap();
    }
    let after = off_ring(&mut trainer);
    assert!(before > 0.5 && after < 0.2, "{before} {after}");
}

#[test]
fn settings_out_of_bounds_are_named() {
    for (config, word) in [
        (Config::new(Arch::StyleGan2, 48), "power of two"),
        (Config { batch: 1, ..tiny(Arch::Dcgan) }, "batch"),
        (Config { rates: [0.0, 1.0], ..tiny(Arch::Dcgan) }, "learning rates"),
    ] {
        let error = config.check().unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
    let small = Normal::new(1).take(2 * 200).map(|x| x as f32).collect();
    let data = Dataset::of_numbers([2, 1, 1], small);
    let error = Trainer::new(tiny(Arch::Dcgan), data, &Device::flex()).err().unwrap().to_string();
    assert!(error.contains("1x1"), "{error}");
}
