//! Restoring faces on the inference service: real networks find them, a scripted one "restores".

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use ganvas::color::WorkingProfile;
use ganvas::faces::{Wants, analyse};
use ganvas::geom::{IRect, Size};
use ganvas::infer::plan::Speed;
use ganvas::infer::protocol::{Effect, Event, Filter, Lane, ModelRef, Task};
use ganvas::infer::service::Service;
use ganvas::infer::worker::{Models, Network, NetworkError, Step};
use ganvas::nets::Planes;
use ganvas::nets::cpu::{Processor, Stop};
use ganvas::pixels::{Depth, PixelBuf};
use ganvas::portrait::FivePoints;
use ganvas::zoo::{Capability, Extent, Purpose, Range, open_network};

use crate::faces::{Shipped, astronaut};
use crate::recorded::shipped;

const FINDERS: [(Purpose, &str); 2] = [
    (Purpose::FaceDetect, "mediapipe-blazeface-short"),
    (Purpose::FaceLandmarks, "mediapipe-face-landmark"),
];
/// Side of the faces that the scripted network wants.
const SIDE: usize = 96;

/// A network of the program.
struct Real(Processor, Capability, Vec<usize>);

impl Network for Real {
    fn capability(&self) -> &Capability {
        &self.1
    }

    fn architecture(&self) -> &str {
        "shipped"
    }

    fn input_channels(&self) -> Vec<usize> {
        self.2.clone()
    }

    fn run(&mut self, inputs: &[Planes], stop: Stop<'_>) -> Result<Vec<Planes>, NetworkError> {
        self.0.run(inputs, stop).map_err(|_| NetworkError::Stopped)
    }
}

/// Turns a face's colours over, and keeps what it was given.
struct Inverter(Capability, Arc<Mutex<Vec<Planes>>>);

impl Network for Inverter {
    fn capability(&self) -> &Capability {
        &self.0
    }

    fn architecture(&self) -> &str {
        "scripted"
    }

    fn input_channels(&self) -> Vec<usize> {
        vec![3]
    }

    fn run(&mut self, inputs: &[Planes], _stop: Stop<'_>) -> Result<Vec<Planes>, NetworkError> {
        let mut face = inputs[0].clone();
        self.1.lock().unwrap().push(face.clone());
        face.data.iter_mut().for_each(|value| *value = -*value);
        Ok(vec![face])
    }
}

struct Store {
    finders: BTreeMap<String, Real>,
    inverter: Inverter,
}

impl Store {
    fn new() -> Self {
        let finder = |(_, id): &(Purpose, &str)| {
            let (checkpoint, detected) = open_network(&shipped(id)).unwrap();
            let mut source = |name: &str| checkpoint.read_f32(&detected.names[name]);
            let graph = detected.spec.graph();
            let channels = graph.input_channels();
            let net = Processor::new(graph, &mut source).unwrap();
            ((*id).to_owned(), Real(net, detected.spec.capability(), channels))
        };
        let finders: BTreeMap<String, Real> = FINDERS.iter().map(finder).collect();
        let capability = Capability {
            purpose: Purpose::RestoreFace,
            range: Range::Signed,
            extent: Extent::Fixed([SIDE; 2]),
            ..finders[FINDERS[0].1].1
        };
        Self { finders, inverter: Inverter(capability, Arc::default()) }
    }
}

impl Models for Store {
    fn network(&mut self, model: &ModelRef) -> Result<&mut dyn Network, String> {
        match model {
            ModelRef::Id(id) if id == "inverter" => Ok(&mut self.inverter),
            ModelRef::Id(id) => Ok(self.finders.get_mut(id).unwrap()),
            model => Err(format!("no model {model}")),
        }
    }

    fn fall_back(&mut self) -> bool {
        false
    }

    fn forget(&mut self, _model: &ModelRef) {}

    fn measure(&mut self) -> Option<Speed> {
        None
    }
}

/// The last event, and the faces that the network was given.
fn run(image: &Arc<PixelBuf>, change: impl Fn(&mut Filter)) -> (Event, Vec<Planes>) {
    let finders = FINDERS.map(|(purpose, id)| (purpose, ModelRef::Id(id.into())));
    let mut filter = Filter {
        image: Arc::clone(image),
        mask: None,
        profile: WorkingProfile::srgb(),
        model: ModelRef::Id("inverter".into()),
        effect: Effect::RestoreFace { finders: Some(finders.to_vec()) },
        strength: 1.0,
        tile: None,
    };
    change(&mut filter);
    let store = Store::new();
    let given = Arc::clone(&store.inverter.1);
    let (mut service, mut worker) = Service::stepped(store, Arc::new(|| {}));
    service.submit(Lane::Commit, None, Task::Filter(filter)).unwrap();
    assert_eq!(worker.step(), Step::Worked);
    let event = std::iter::from_fn(|| service.try_event()).last().unwrap();
    let given = std::mem::take(&mut *given.lock().unwrap());
    (event, given)
}

fn restored(image: &Arc<PixelBuf>, change: impl Fn(&mut Filter)) -> PixelBuf {
    match run(image, change).0 {
        Event::Finished { mut output, .. } => output.images.remove(0),
        other => panic!("{other:?}"),
    }
}

/// The same photo twice side by side, at 16 bits.
fn twins() -> Arc<PixelBuf> {
    let one = astronaut().to_depth(Depth::U16);
    let Size { width, height } = one.size();
    let mut both = PixelBuf::new(Size::new(2 * width, height), 4, Depth::U16);
    both.blit(&one, (0, 0));
    both.blit(&one, (width as i32, 0));
    Arc::new(both)
}

/// Bounds of what differs inside `area`.
fn changed(a: &PixelBuf, b: &PixelBuf, area: IRect) -> IRect {
    let places = (area.y0..area.y1).flat_map(|y| (area.x0..area.x1).map(move |x| (x, y)));
    let differs =
        |&(x, y): &(i32, i32)| a.pixel_f32(x as u32, y as u32) != b.pixel_f32(x as u32, y as u32);
    places
        .filter(differs)
        .fold(IRect::EMPTY, |all, (x, y)| all.union(IRect::new(x, y, x + 1, y + 1)))
}

#[test]
fn every_face_is_restored_and_nothing_else_changes() {
    let photo = twins();
    let (event, given) = run(&photo, |_| {});
    let Event::Finished { output, .. } = event else { panic!("{event:?}") };
    let out = &output.images[0];
    assert_eq!((out.depth(), out.size(), given.len()), (Depth::U16, photo.size(), 2));
    let faces = analyse(&photo, &mut Shipped::default(), Wants::default()).unwrap();
    assert_eq!(faces.len(), 2);
    let half = photo.size().width as i32 / 2;
    for face in faces {
        let centre = face.bounds.centre();
        let side = if (centre.x as i32) < half { 0 } else { half };
        let area = IRect::new(side, 0, side + half, photo.size().height as i32);
        let seen = changed(&photo, out, area);
        let reach = 0.9 * face.bounds.width.max(face.bounds.height);
        let within = |low: i32, high: i32, middle: f32| {
            (low as f32) > middle - reach && (high as f32) < middle + reach
        };
        assert!(
            within(seen.x0, seen.x1, centre.x) && within(seen.y0, seen.y1, centre.y),
            "{seen:?}"
        );
        assert!(seen.width() as f32 > 0.8 * face.bounds.width, "{seen:?}");
        // A smooth place on the cheek is turned over.
        let (x, y) = ((face.key_points.right_eye.x) as u32, (face.key_points.mouth.y) as u32);
        let (from, to) = (photo.pixel_f32(x, y), out.pixel_f32(x, y));
        for channel in 0..3 {
            assert!((to[channel] - (1.0 - from[channel])).abs() < 0.06, "{from:?} {to:?}");
        }
        assert_eq!(from[3], to[3]);
    }
}

#[test]
fn the_network_sees_faces_as_it_learnt_them() {
    let photo = Arc::new(astronaut());
    let (_, given) = run(&photo, |_| {});
    let face = &given[0];
    assert_eq!((face.height, face.width), (SIDE, SIDE));
    let mut picture = PixelBuf::new(Size::new(SIDE as u32, SIDE as u32), 4, Depth::U8);
    for at in 0..SIDE * SIDE {
        let [r, g, b] = [0, 1, 2].map(|c| face.data[c * SIDE * SIDE + at] * 0.5 + 0.5);
        picture.set_pixel_f32((at % SIDE) as u32, (at / SIDE) as u32, [r, g, b, 1.0]);
    }
    let wants = Wants { landmarks: true, ..Wants::default() };
    let found = analyse(&picture, &mut Shipped::default(), wants).unwrap();
    let points = FivePoints::of_mesh(found[0].landmarks.as_ref().unwrap()).unwrap();
    // Published for 512 pixels a side: eyes, nose, corners of the mouth.
    let places = [[193.0, 240.0], [319.0, 240.0], [257.0, 314.0], [201.0, 371.0], [313.0, 371.0]];
    for (point, place) in points.0.iter().zip(places) {
        for axis in [0, 1] {
            let (have, want) = (point[axis] / SIDE as f64, place[axis] / 512.0);
            assert!((have - want).abs() < 0.04, "{have} instead of {want}");
        }
    }
}

#[test]
fn strength_and_mask_hold_it_back() {
    let photo = twins();
    let still = restored(&photo, |filter| filter.strength = 0.0);
    assert_eq!(still, *photo);
    let (whole, half) =
        (restored(&photo, |_| {}), restored(&photo, |filter| filter.strength = 0.5));
    let Size { width, height } = photo.size();
    for (x, y) in (0..height).step_by(7).flat_map(|y| (0..width).step_by(7).map(move |x| (x, y))) {
        let [from, to, between] = [&*photo, &whole, &half].map(|p| p.pixel_f32(x, y)[1]);
        assert!((between - (from + to) / 2.0).abs() < 2e-4, "{x} {y}");
    }
    // White on the right half alone.
    let mut mask = PixelBuf::new(photo.size(), 1, Depth::U8);
    for (x, y) in (0..height).flat_map(|y| (width / 2..width).map(move |x| (x, y))) {
        mask.set_pixel_f32(x, y, [1.0; 4]);
    }
    let mask = Arc::new(mask);
    let right = restored(&photo, |filter| filter.mask = Some(Arc::clone(&mask)));
    let (left_area, all) = (IRect::new(0, 0, width as i32 / 2, height as i32), photo.size().rect());
    assert!(changed(&photo, &right, left_area).is_empty());
    assert_eq!(
        changed(&photo, &right, all),
        changed(&photo, &whole, IRect { x0: left_area.x1, ..all })
    );
}

#[test]
fn a_picture_without_a_face_is_refused_and_an_aligned_one_taken_whole() {
    let blank = Arc::new(PixelBuf::filled(Size::new(64, 48), 4, Depth::U8, [90, 120, 60, 255]));
    let (event, given) = run(&blank, |_| {});
    assert!(
        matches!(&event, Event::Refused { reason, .. } if reason.contains("no face")),
        "{event:?}"
    );
    assert!(event.is_final() && given.is_empty());
    let out = restored(&blank, |filter| filter.effect = Effect::RestoreFace { finders: None });
    for (x, y) in [(0, 0), (63, 47), (30, 20)] {
        let [r, g, b, _] = out.pixel_f32(x, y).map(|value| value * 255.0);
        assert!((r - 165.0).abs() <= 1.0 && (g - 135.0).abs() <= 1.0 && (b - 195.0).abs() <= 1.0);
    }
}
