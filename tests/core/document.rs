//! Documents: random edits, undo and redo against a naive model that copies everything.

use std::sync::Arc;

use ganvas::color::WorkingProfile;
use ganvas::document::{Document, Edit, Layer, LayerId, LayerKind, LayerMask, Raster, Session};
use ganvas::geom::{IRect, Size};
use ganvas::pixels::{Depth, PixelBuf, TiledImage};
use proptest::prelude::*;

const SIZE: Size = Size::new(300, 40);

/// A layer as plain values.
#[derive(Clone, Debug, PartialEq)]
struct Node {
    id: LayerId,
    opacity: f32,
    pixels: Option<PixelBuf>,
    mask: Option<PixelBuf>,
    children: Option<Vec<Node>>,
}

/// A document as plain values.
#[derive(Clone, Debug, PartialEq)]
struct Model {
    layers: Vec<Node>,
    selection: Option<PixelBuf>,
}

fn nodes(layers: &[Arc<Layer>]) -> Vec<Node> {
    let node = |layer: &Arc<Layer>| Node {
        id: layer.id,
        opacity: layer.props.opacity,
        pixels: layer.raster_content().map(|raster| raster.image.to_buf()),
        mask: layer.mask.as_ref().map(|mask| mask.image.to_buf()),
        children: layer.children().map(nodes),
    };
    layers.iter().map(node).collect()
}

fn read(document: &Document) -> Model {
    let selection = document.selection.as_ref().map(TiledImage::to_buf);
    Model { layers: nodes(&document.layers), selection }
}

impl Model {
    fn list(&mut self, parent: Option<LayerId>) -> &mut Vec<Node> {
        fn find(list: &mut [Node], id: LayerId) -> Option<&mut Vec<Node>> {
            list.iter_mut().find_map(|node| {
                let Node { id: own, children, .. } = node;
                let children = children.as_mut()?;
                if *own == id { Some(children) } else { find(children, id) }
            })
        }
        match parent {
            None => &mut self.layers,
            Some(id) => find(&mut self.layers, id).unwrap(),
        }
    }

    fn node(&mut self, id: LayerId) -> &mut Node {
        fn find(list: &mut [Node], id: LayerId) -> Option<&mut Node> {
            list.iter_mut().find_map(|node| {
                if node.id == id {
                    return Some(node);
                }
                node.children.as_mut().and_then(|children| find(children, id))
            })
        }
        find(&mut self.layers, id).unwrap()
    }

    /// Takes a layer out wherever it is.
    fn take(&mut self, id: LayerId) -> Node {
        fn take(list: &mut Vec<Node>, id: LayerId) -> Option<Node> {
            match list.iter().position(|node| node.id == id) {
                Some(index) => Some(list.remove(index)),
                None => list
                    .iter_mut()
                    .filter_map(|node| node.children.as_mut())
                    .find_map(|children| take(children, id)),
            }
        }
        take(&mut self.layers, id).unwrap()
    }
}

/// What a random step does; numbers pick layers and places modulo what there is.
#[derive(Clone, Debug)]
enum Action {
    InsertRaster(usize, usize),
    InsertGroup(usize, usize),
    Remove(usize),
    Move(usize, usize, usize),
    Opacity(usize, u8),
    Paint(usize, u16),
    Mask(usize, Option<u8>),
    Select(Option<u8>),
    Undo,
    Redo,
    Jump(usize),
    /// Paints and then aborts.
    Abort(usize, u16),
}

fn any_action() -> impl Strategy<Value = Action> {
    use Action::*;
    prop_oneof![
        2 => (any::<usize>(), any::<usize>()).prop_map(|(a, b)| InsertRaster(a, b)),
        1 => (any::<usize>(), any::<usize>()).prop_map(|(a, b)| InsertGroup(a, b)),
        1 => any::<usize>().prop_map(Remove),
        2 => (any::<usize>(), any::<usize>(), any::<usize>()).prop_map(|(a, b, c)| Move(a, b, c)),
        1 => (any::<usize>(), any::<u8>()).prop_map(|(a, b)| Opacity(a, b)),
        3 => (any::<usize>(), any::<u16>()).prop_map(|(a, b)| Paint(a, b)),
        1 => (any::<usize>(), any::<Option<u8>>()).prop_map(|(a, b)| Mask(a, b)),
        1 => any::<Option<u8>>().prop_map(Select),
        3 => Just(Undo),
        2 => Just(Redo),
        1 => (0usize..40).prop_map(Jump),
        1 => (any::<usize>(), any::<u16>()).prop_map(|(a, b)| Abort(a, b)),
    ]
}

fn pick<T: Copy>(list: &[T], number: usize) -> Option<T> {
    (!list.is_empty()).then(|| list[number % list.len()])
}

/// The layers that pass a test, in walking order.
fn ids(document: &Document, keep: impl Fn(&Layer) -> bool) -> Vec<LayerId> {
    let mut ids = Vec::new();
    document.walk(&mut |layer, _| {
        if keep(layer) {
            ids.push(layer.id);
        }
    });
    ids
}

/// The document's top or one of its groups.
fn parent(document: &Document, number: usize) -> Option<LayerId> {
    let groups = ids(document, |layer| layer.children().is_some());
    let choice = number % (groups.len() + 1);
    choice.checked_sub(1).map(|index| groups[index])
}

fn dot(at: u16) -> (PixelBuf, (i32, i32)) {
    let place = (i32::from(at) % 297, i32::from(at) / 300 % 37);
    (PixelBuf::filled(Size::new(3, 3), 4, Depth::U8, [at % 256, 7, 200, 255]), place)
}

fn painted(raster: &Raster, at: u16) -> Edit {
    let (buf, place) = dot(at);
    let mut raster = raster.clone();
    raster.image.write(&buf, place);
    Edit::SetRaster { id: LayerId(0), raster, damage: IRect::from_origin_size(place, buf.size()) }
}

fn with_id(edit: Edit, id: LayerId) -> Edit {
    match edit {
        Edit::SetRaster { raster, damage, .. } => Edit::SetRaster { id, raster, damage },
        edit => edit,
    }
}

/// The edit an action stands for in the session's present document, done to the model as well.
fn plan(action: &Action, document: &Document, model: &mut Model) -> Option<Edit> {
    Some(match *action {
        Action::InsertRaster(at, index) | Action::InsertGroup(at, index) => {
            let layer = if matches!(action, Action::InsertGroup(..)) {
                Layer::new("group", LayerKind::Group(Vec::new()))
            } else {
                Layer::raster("raster", TiledImage::empty(SIZE, 4, Depth::U8), (0, 0))
            };
            let parent = parent(document, at);
            let list = model.list(parent);
            let index = index % (list.len() + 1);
            let layer = Arc::new(layer);
            list.insert(index, nodes(std::slice::from_ref(&layer)).remove(0));
            Edit::Insert { layer, parent, index }
        }
        Action::Remove(number) => {
            let id = pick(&ids(document, |_| true), number)?;
            model.take(id);
            Edit::Remove(id)
        }
        Action::Move(number, at, index) => {
            let id = pick(&ids(document, |_| true), number)?;
            let mut after = model.clone();
            let node = after.take(id);
            let parent = parent(document, at);
            let inside = |list: &[Node]| {
                format!("{list:?}").contains(&format!("{:?}", parent?)).then_some(())
            };
            if parent == Some(id) || node.children.as_deref().and_then(inside).is_some() {
                return None;
            }
            let list = after.list(parent);
            let index = index % (list.len() + 1);
            list.insert(index, node);
            *model = after;
            Edit::Move { id, parent, index }
        }
        Action::Opacity(number, value) => {
            let id = pick(&ids(document, |_| true), number)?;
            let mut props = document.layer(id)?.props.clone();
            props.opacity = f32::from(value) / 255.0;
            model.node(id).opacity = props.opacity;
            Edit::SetProps { id, props }
        }
        Action::Paint(number, at) | Action::Abort(number, at) => {
            let id = pick(&ids(document, |layer| layer.raster_content().is_some()), number)?;
            let (buf, place) = dot(at);
            model.node(id).pixels.as_mut()?.blit(&buf, place);
            with_id(painted(document.layer(id)?.raster_content()?, at), id)
        }
        Action::Mask(number, value) => {
            let id = pick(&ids(document, |_| true), number)?;
            let image = value.map(|value| TiledImage::mask(SIZE, value));
            model.node(id).mask = image.as_ref().map(TiledImage::to_buf);
            let mask = image.map(|image| LayerMask { image, origin: (0, 0), enabled: true });
            Edit::SetMask { id, mask, damage: SIZE.rect() }
        }
        Action::Select(value) => {
            let selection = value.map(|value| TiledImage::mask(SIZE, value));
            model.selection = selection.as_ref().map(TiledImage::to_buf);
            Edit::SetSelection(selection)
        }
        Action::Undo | Action::Redo | Action::Jump(_) => return None,
    })
}

/// Whether two documents share every tile of every image, in order.
fn same_tiles(a: &Document, b: &Document) -> bool {
    fn images(document: &Document) -> Vec<&TiledImage> {
        let mut images = Vec::new();
        document.walk(&mut |layer, _| {
            images.extend(layer.raster_content().map(|raster| &raster.image));
            images.extend(layer.mask.as_ref().map(|mask| &mask.image));
        });
        images.extend(&document.selection);
        images
    }
    let (a, b) = (images(a), images(b));
    a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| a.same_tiles(b))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn edits_undo_and_redo_agree_with_the_model(actions in proptest::collection::vec(any_action(), 1..40)) {
        let document = Document::new(SIZE, Depth::U8, WorkingProfile::srgb());
        let mut states = vec![(read(&document), document.clone())];
        let mut present = 0;
        let mut session = Session::new(document, 1 << 30);
        for action in &actions {
            let mut model = states[present].0.clone();
            match action {
                Action::Undo => {
                    prop_assert_eq!(session.undo().is_some(), present > 0);
                    present = present.saturating_sub(1);
                }
                Action::Redo => {
                    prop_assert_eq!(session.redo().is_some(), present + 1 < states.len());
                    present = (present + 1).min(states.len() - 1);
                }
                Action::Jump(steps) => {
                    session.jump(*steps);
                    present = (*steps).min(states.len() - 1);
                }
                Action::Abort(..) => {
                    let before = session.document().clone();
                    let entries = session.history().past().len();
                    session.begin("aborted").unwrap();
                    if let Some(edit) = plan(action, &before, &mut model) {
                        session.edit(edit).unwrap();
                        prop_assert_eq!(&read(session.document()), &model);
                    }
                    session.abort();
                    prop_assert_eq!(session.document().revision(), before.revision());
                    prop_assert_eq!(session.history().past().len(), entries);
                    prop_assert!(same_tiles(session.document(), &before));
                }
                _ => {
                    let before = session.document().clone();
                    if let Some(edit) = plan(action, &before, &mut model) {
                        session.perform("step", [edit]).unwrap();
                        states.truncate(present + 1);
                        states.push((model, session.document().clone()));
                        present += 1;
                    }
                }
            }
            let (model, kept) = &states[present];
            prop_assert_eq!(session.document().check(), Ok(()));
            prop_assert_eq!(&read(session.document()), model);
            prop_assert!(same_tiles(session.document(), kept), "undo returns the tiles themselves");
            prop_assert_eq!(session.document().revision(), kept.revision());
            prop_assert_eq!(session.history().past().len(), present);
        }
    }
}

fn two_layers() -> (Session, LayerId) {
    let buf = PixelBuf::filled(SIZE, 4, Depth::U8, [9, 9, 9, 255]);
    let document = Document::from_pixels(&buf, "photo", WorkingProfile::srgb(), Default::default());
    let id = document.active.unwrap();
    (Session::new(document, 1 << 20), id)
}

/// The comparison by pointer must be able to fail: equal bytes in new tiles are not the same.
#[test]
fn equal_pixels_in_new_tiles_are_not_the_same_tiles() {
    let (session, id) = two_layers();
    let document = session.document();
    let mut copy = document.clone();
    let layer = document.layer(id).unwrap();
    let image = TiledImage::from_buf(&layer.raster_content().unwrap().image.to_buf());
    copy.layers = vec![Arc::new(Layer { id, ..Layer::raster("photo", image, (0, 0)) })];
    assert_eq!(read(&copy).layers[0].pixels, read(document).layers[0].pixels);
    assert!(!same_tiles(&copy, document));
}

#[test]
fn refused_edits_change_nothing() {
    let (mut session, id) = two_layers();
    let mut props = session.document().layer(id).unwrap().props.clone();
    props.locked = true;
    session.perform("lock", [Edit::SetProps { id, props }]).unwrap();
    let before = session.document().clone();
    let raster = before.layer(id).unwrap().raster_content().unwrap();
    let wrong_depth = Raster::new(TiledImage::empty(SIZE, 4, Depth::U16), (0, 0));
    let refused = [
        Edit::Remove(id),
        with_id(painted(raster, 5), id),
        Edit::SetRaster { id, raster: wrong_depth, damage: SIZE.rect() },
        Edit::SetMask { id, mask: None, damage: SIZE.rect() },
        Edit::Remove(LayerId(u64::MAX)),
        Edit::SetSelection(Some(TiledImage::mask(Size::new(1, 1), 255))),
        Edit::Move { id, parent: Some(id), index: 0 },
        Edit::Insert { layer: before.layers[0].clone(), parent: None, index: 0 },
    ];
    for edit in refused {
        let text = format!("{edit:?}");
        // A valid edit before the refused one is taken back as well.
        let valid = Edit::SetSelection(Some(TiledImage::mask(SIZE, 255)));
        assert!(session.perform("refused", [valid, edit]).is_err(), "{text}");
        assert!(session.in_progress().is_none());
        assert_eq!(session.document().revision(), before.revision(), "{text}");
        assert!(same_tiles(session.document(), &before), "{text}");
        assert_eq!(session.history().past().len(), 1);
    }
}

#[test]
fn the_budget_drops_the_oldest_steps_only() {
    let (mut session, id) = two_layers();
    // 20 steps that each replace both tiles (512 KiB) in a budget of 1 MiB.
    for step in 0..20u16 {
        let mut raster = session.document().layer(id).unwrap().raster_content().unwrap().clone();
        let value = [step + 1, 0, 0, 255];
        raster.image.write(&PixelBuf::filled(SIZE, 4, Depth::U8, value), (0, 0));
        let edit = Edit::SetRaster { id, raster, damage: SIZE.rect() };
        session.perform("paint", [edit]).unwrap();
    }
    let kept = session.history().past().len();
    assert_eq!(kept, ganvas::document::History::MIN_STEPS);
    assert!(session.history().bytes() > 1 << 20, "the minimum holds beyond the budget");
    let mut undone = 0;
    while session.undo().is_some() {
        undone += 1;
    }
    assert_eq!(undone, kept);
    let image = &session.document().layer(id).unwrap().raster_content().unwrap().image;
    assert_eq!(image.pixel(0, 0)[0], 20 - kept as u16);
}

#[test]
fn a_buffer_handed_over_becomes_the_same_tiles_as_one_that_is_lent() {
    for (depth, channels) in [(Depth::U8, 4), (Depth::U16, 4), (Depth::U8, 1)] {
        for (width, height) in [(1, 1), (256, 256), (300, 700), (513, 255)] {
            let mut picture = PixelBuf::new(Size::new(width, height), channels, depth);
            for index in 0..picture.samples().len() {
                picture.samples_mut().set_f32(index, (index * 31 % 977) as f32 / 976.0);
            }
            let lent = TiledImage::from(&picture);
            assert_eq!(lent.to_buf(), picture);
            assert_eq!(TiledImage::from(picture).to_buf(), lent.to_buf());
        }
    }
}
