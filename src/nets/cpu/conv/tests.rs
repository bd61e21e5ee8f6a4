//! Every kernel against the definition, in double precision.

use super::*;
use crate::nets::Planes;
use crate::nets::graph::{Act, Edge};

/// Scatters each input pixel where it belongs, or gathers, straight from the definition.
fn by_definition(conv: &Conv, weight: &[f32], bias: &[f32], x: &Planes) -> Vec<f64> {
    let [height, width] = conv.output([x.height, x.width]);
    let [rows, columns] = conv.kernel;
    let (group_in, group_out) = (conv.channels_in / conv.groups, conv.channels_out / conv.groups);
    let mut out = vec![0.0f64; conv.channels_out * height * width];
    let value =
        |c: usize, y: usize, x_: usize| f64::from(x.data[(c * x.height + y) * x.width + x_]);
    for o in 0..conv.channels_out {
        let plane = &mut out[o * height * width..][..height * width];
        plane.fill(f64::from(bias[o]));
        for i in 0..group_in {
            let input = o / group_out * group_in + i;
            for (ky, kx) in (0..rows * columns).map(|k| (k / columns, k % columns)) {
                let place = ky * columns + kx;
                if conv.transposed {
                    let weight =
                        weight[(input * group_out + o % group_out) * rows * columns + place];
                    for (y, x_) in (0..x.height * x.width).map(|at| (at / x.width, at % x.width)) {
                        let ty =
                            (y * conv.stride + ky * conv.dilation) as isize - conv.pad[0] as isize;
                        let tx =
                            (x_ * conv.stride + kx * conv.dilation) as isize - conv.pad[2] as isize;
                        if (0..height as isize).contains(&ty) && (0..width as isize).contains(&tx) {
                            plane[ty as usize * width + tx as usize] +=
                                f64::from(weight) * value(input, y, x_);
                        }
                    }
                } else {
                    let weight = weight[(o * group_in + i) * rows * columns + place];
                    for (y, x_) in (0..height * width).map(|at| (at / width, at % width)) {
                        let sy =
                            (y * conv.stride + ky * conv.dilation) as isize - conv.pad[0] as isize;
                        let sx =
                            (x_ * conv.stride + kx * conv.dilation) as isize - conv.pad[2] as isize;
                        let at = (conv.edge.index(sy, x.height), conv.edge.index(sx, x.width));
                        if let (Some(sy), Some(sx)) = at {
                            plane[y * width + x_] += f64::from(weight) * value(input, sy, sx);
                        }
                    }
                }
            }
        }
    }
    out
}

struct Random(u64);

impl Random {
    fn numbers(&mut self, count: usize) -> Vec<f32> {
        let mut next = || {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (self.0 >> 40) as f32 / (1u64 << 24) as f32 - 0.5
        };
        (0..count).map(|_| next()).collect()
    }
}

fn check(conv: &Conv, parts: &[usize], [height, width]: [usize; 2]) -> &'static str {
    let mut random = Random((height * 1000 + width) as u64);
    let weight = random.numbers(conv.weight_shape().iter().product());
    let bias = random.numbers(conv.channels_out);
    let channels = conv.channels_in;
    let x = Planes { channels, height, width, data: random.numbers(channels * height * width) };
    let mut rest = x.data.as_slice();
    let maps: Vec<Map> = parts
        .iter()
        .map(|&channels| {
            let (own, others) = rest.split_at(channels * height * width);
            rest = others;
            Map::from_planes(&Planes { channels, height, width, data: own.to_vec() })
        })
        .collect();
    let epilogue = Epilogue::new(&bias).with_act(Act::Leaky(0.25)).unwrap();
    let kernel = Kernel::new(conv, &weight, parts, epilogue);
    let out = kernel.run(&maps.iter().collect::<Vec<_>>(), &|| false).to_planes();
    let want = by_definition(conv, &weight, &bias, &x);
    assert_eq!([out.height, out.width], conv.output([height, width]));
    let top = want.iter().fold(0.0f64, |top, value| top.max(value.abs()));
    for (have, want) in out.data.iter().zip(&want) {
        let want = if *want < 0.0 { want * 0.25 } else { *want };
        assert!((f64::from(*have) - want).abs() < 1e-5 * top, "{conv:?}: {have} for {want}");
    }
    assert_eq!(out.data.len(), want.len());
    match kernel {
        Kernel::Winograd(_) => "winograd",
        Kernel::Phases(_) => "phases",
        Kernel::Pointwise(_) => "pointwise",
        Kernel::Few(_) => "few",
        Kernel::Direct(_) => "direct",
        Kernel::Depthwise(_) => "depthwise",
        Kernel::Tiled(_) => "tiled",
    }
}

#[test]
fn winograd_is_the_convolution() {
    for (size, parts, out) in [
        ([7, 9], vec![13], 14),
        ([13, 130], vec![64, 32], 32),
        ([2, 2], vec![16], 20),
        ([4, 24], vec![5, 32, 7], 48),
        // Many weights for few pixels: the whole picture at once.
        ([9, 11], vec![20, 12], 2048),
    ] {
        for edge in [Edge::Zero, Edge::Reflect, Edge::Replicate] {
            let conv = Conv::new("c", parts.iter().sum(), out, 3).edge(edge);
            assert_eq!(check(&conv, &parts, size), "winograd");
        }
        for pad in [[2; 4], [0, 1, 2, 3], [0, 2, 0, 1]] {
            let conv = Conv::new("c", parts.iter().sum(), out, 3).pad(pad);
            assert_eq!(check(&conv, &parts, size), "winograd");
        }
    }
}

#[test]
fn direct_is_the_convolution() {
    let cases = [
        (Conv::new("c", 20, 17, 3).stride(2), vec![12, 8]),
        (Conv::new("c", 20, 24, 3).stride(2).pad([0, 1, 0, 1]), vec![20]),
        (Conv::new("c", 9, 7, 3).dilation(3), vec![9]),
        (Conv::new("c", 16, 16, 1).stride(2), vec![16]),
        (Conv::new("c", 24, 18, 3).groups(3).stride(2), vec![24]),
    ];
    for (conv, parts) in cases {
        assert_eq!(check(&conv, &parts, [11, 14]), "direct");
    }
}

#[test]
fn few_channels_are_the_convolution() {
    for edge in [Edge::Zero, Edge::Reflect, Edge::Replicate] {
        for (from, to, side) in [(3, 5, 3), (3, 32, 9), (2, 40, 3), (16, 10, 4), (1, 1, 5)] {
            let conv = Conv::new("c", from, to, side).edge(edge);
            assert_eq!(check(&conv, &[from], [11, 14]), "few");
        }
        // Few are made, more than a tile of pixels and less.
        for (to, width) in [(1, 3), (2, 24), (3, 25), (4, 61)] {
            let conv = Conv::new("c", 20, to, 9).edge(edge);
            assert_eq!(check(&conv, &[12, 8], [11, width]), "few");
        }
    }
    for conv in [
        Conv::new("c", 8, 12, 5).pad([1, 2, 1, 2]).stride(2),
        Conv::new("c", 8, 3, 3).stride(2),
        Conv::new("c", 12, 18, 3).groups(3).stride(2),
        Conv::new("c", 9, 4, 3).pad([0; 4]),
    ] {
        let from = conv.channels_in;
        assert_eq!(check(&conv, &[from - 3, 3], [11, 14]), "few");
    }
}

#[test]
fn pointwise_is_the_convolution() {
    for (parts, out) in [(vec![16], 16), (vec![3], 5), (vec![12, 8, 1], 40), (vec![70], 257)] {
        let from = parts.iter().sum();
        for size in [[1, 1], [1, 5], [11, 14], [1, 7], [30, 33]] {
            assert_eq!(check(&Conv::new("c", from, out, 1), &parts, size), "pointwise");
        }
        assert_eq!(check(&Conv::linear("c", from, out), &parts, [1, 1]), "pointwise");
    }
    let turned = Conv::transposed("c", 6, 9, 1, 1);
    assert_eq!(check(&turned, &[6], [5, 7]), "pointwise");
}

#[test]
fn transposed_is_the_gradient() {
    for conv in [
        Conv::transposed("c", 20, 16, 3, 2).pad([1; 4]).output_pad(1),
        Conv::transposed("c", 5, 8, 4, 2).pad([1; 4]),
        Conv::transposed("c", 5, 8, 4, 1),
        Conv::transposed("c", 16, 16, 3, 1).pad([1; 4]),
    ] {
        assert_eq!(check(&conv, &[conv.channels_in], [5, 7]), "direct");
        assert_eq!(check(&conv, &[conv.channels_in], [1, 1]), "direct");
    }
}

#[test]
fn squares_that_do_not_overlap_are_the_gradient() {
    for (from, to, side) in [(6, 9, 2), (16, 1, 2), (20, 16, 4), (3, 5, 3)] {
        let conv = Conv::transposed("c", from, to, side, side);
        assert_eq!(check(&conv, &[from], [5, 7]), "tiled");
        assert_eq!(check(&conv, &[from - 2, 2], [1, 1]), "tiled");
        assert!(!takes_modulation(&conv));
    }
    // What a strided convolution did not read has no gradient.
    let conv = Conv::transposed("c", 1, 1, 2, 2);
    let kernel = Kernel::new(&conv, &[1.0, 2.0, 3.0, 4.0], &[1], Epilogue::new(&[0.0]));
    let x = Planes { channels: 1, height: 1, width: 1, data: vec![2.0] };
    let out = kernel.run_to(&[&Map::from_planes(&x)], [3, 2], &|| false).to_planes();
    assert_eq!(out.data, [2.0, 4.0, 6.0, 8.0, 0.0, 0.0]);
}

#[test]
fn doubling_in_phases_is_the_gradient() {
    for (from, to, layout) in [(3, 5, Layout::Kernel), (16, 20, Layout::OutFirst)] {
        let conv = Conv::transposed("c", from, to, 6, 2).pad([2; 4]);
        // The definition reads weights the one way round only.
        let as_defined = conv.clone().layout(Layout::Kernel);
        for side in [[4, 4], [5, 7], [1, 3], [9, 30]] {
            assert_eq!(check(&as_defined, &[from], side), "phases");
        }
        assert!(Phases::fit(&conv.layout(layout)));
    }
}

#[test]
fn results_are_modulated_before_the_bias() {
    let mut random = Random(5);
    let (height, width) = (6, 5);
    let planes = |random: &mut Random, channels: usize, height: usize, width: usize| {
        let data = random.numbers(channels * height * width);
        Planes { channels, height, width, data }
    };
    for (from, to, side) in [(16, 16, 3), (3, 4, 3), (7, 9, 1)] {
        let conv = Conv::new("c", from, to, side);
        let (weight, bias) = (random.numbers(to * from * side * side), random.numbers(to));
        let x = Map::from_planes(&planes(&mut random, from, height, width));
        let factors = planes(&mut random, to, 1, 1);
        let added = planes(&mut random, 1, height, width);
        let offsets = planes(&mut random, to, 1, 1);
        let residual = planes(&mut random, to, height, width);
        let [as_map, one, more, kept] =
            [&factors, &added, &offsets, &residual].map(Map::from_planes);
        let bare = Kernel::new(&conv, &weight, &[from], Epilogue::new(&vec![0.0; to]));
        let sums = bare.run(&[&x], &|| false).to_planes();
        let epilogue = Epilogue::new(&bias).with_act(Act::Leaky(0.2)).unwrap();
        let epilogue = epilogue.with_gain(1.5).unwrap().with_bounds(-0.5, 0.6).unwrap();
        assert!(epilogue.clone().with_gain(2.0).is_err());
        assert!(epilogue.clone().with_act(Act::Relu).is_err());
        let kernel = Kernel::new(&conv, &weight, &[from], epilogue);
        let modulation = Modulation {
            factors: Some(&as_map),
            added: Some(&one),
            offsets: Some(&more),
            residual: Some(&kept),
        };
        let have = kernel.run_modulated(&[&x], Some(modulation), &|| false).to_planes();
        for (at, (have, sum)) in have.data.iter().zip(&sums.data).enumerate() {
            let (channel, pixel) = (at / (height * width), at % (height * width));
            let more =
                added.data[pixel] + offsets.data[channel] + bias[channel] + residual.data[at];
            let value = sum * factors.data[channel] + more;
            let want = (value.max(0.2 * value) * 1.5).clamp(-0.5, 0.6);
            assert!((have - want).abs() < 1e-5, "{have} for {want}");
        }
    }
}

#[test]
fn depthwise_is_the_convolution() {
    for conv in [
        Conv::new("c", 10, 10, 3).depthwise(),
        Conv::new("c", 24, 24, 3).depthwise().stride(2),
        Conv::new("c", 8, 8, 5).depthwise(),
        Conv::new("c", 16, 16, 5).depthwise().stride(2),
        Conv::new("c", 33, 33, 3).depthwise().dilation(2).edge(Edge::Replicate),
    ] {
        assert_eq!(check(&conv, &[conv.channels_in], [9, 12]), "depthwise");
        assert_eq!(check(&conv, &[conv.channels_in], [7, 31]), "depthwise");
        assert_eq!(check(&conv, &[4, conv.channels_in - 4], [9, 12]), "depthwise");
    }
}
