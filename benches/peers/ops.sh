#!/usr/bin/env bash
# Times the operations of benches/ops.rs beside ImageMagick and libvips, where they are installed,
# on the same kind of picture (6000×4000, RGBA, 8 bits) and the same number of threads.
#
#   benches/peers/ops.sh [THREADS]
#
# Each peer runs five times as a command of its own on an uncompressed picture in memory
# (/dev/shm), and the fastest run counts. ImageMagick discards its result; libvips writes its own
# to /dev/shm, as we write ours to fresh memory. What the same command takes for loading only
# (ImageMagick) or for a single pixel (libvips) is subtracted. Above 1 we are the faster.
set -euo pipefail
export LC_ALL=C
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
threads=${1:-$(nproc)}
work=$(mktemp -d /dev/shm/ganvas-peers.XXXXXX)
trap 'rm -rf "$work"' EXIT
export RAYON_NUM_THREADS=$threads VIPS_CONCURRENCY=$threads OMP_NUM_THREADS=$threads
export MAGICK_THREAD_LIMIT=$threads

magick=$(command -v magick || command -v convert || true)
vips=$(command -v vips || true)

# Milliseconds of the fastest of five runs of a command.
fastest() {
    local best=999999999 begin took _
    for _ in 1 2 3 4 5; do
        begin=$(date +%s%N)
        "$@" >/dev/null 2>&1 || { echo nan; return; }
        took=$((($(date +%s%N) - begin) / 1000))
        if ((took < best)); then best=$took; fi
    done
    awk -v us="$best" 'BEGIN { print us / 1000 }'
}

if [[ -n $magick ]]; then
    "$magick" -size 6000x4000 plasma:fractal -alpha set -channel A -evaluate multiply 0.9 +channel \
        -depth 8 "$work/in.mpc"
    im_load=$(fastest "$magick" "$work/in.mpc" null:)
fi
if [[ -n $vips ]]; then
    "$vips" gaussnoise "$work/noise.v" 6000 4000 --mean 128 --sigma 50
    "$vips" bandjoin "$work/noise.v $work/noise.v $work/noise.v $work/noise.v" "$work/wide.v"
    "$vips" cast "$work/wide.v" "$work/plain.v" uchar
    "$vips" copy "$work/plain.v" "$work/in.v" --interpretation srgb
    rm "$work/noise.v" "$work/wide.v" "$work/plain.v"
    "$vips" crop "$work/in.v" "$work/dot.v" 0 0 1 1
    vips_start=$(fastest "$vips" copy "$work/dot.v" "$work/out.v")
fi

im() { # arguments of ImageMagick between input and output
    [[ -n $magick ]] || { echo nan; return; }
    awk -v t="$(fastest "$magick" "$work/in.mpc" "$@" null:)" -v o="$im_load" \
        'BEGIN { print (t == "nan") ? "nan" : t - o }'
}

lv() { # an operation of libvips and its arguments after the output
    [[ -n $vips ]] || { echo nan; return; }
    local op=$1
    shift
    awk -v t="$(fastest "$vips" "$op" "$work/in.v" "$work/out.v" "$@")" -v o="$vips_start" \
        'BEGIN { print (t == "nan") ? "nan" : t - o }'
}

echo "measuring ganvas ..." >&2
# A bench that is built already may be named by GANVAS_OPS_BENCH.
bench=(${GANVAS_OPS_BENCH:-cargo bench --no-default-features --bench ops --})
(cd "$root" && "${bench[@]}" --bench --quick 8-bit) 2>/dev/null |
    awk '/^8-bit\// { name = $0; sub(/^8-bit\//, "", name); sub(/ +time:.*/, "", name) }
        /time:/ { sub(/.*\[/, ""); split($0, t, " ")
            ms = t[3]; if (t[4] == "s") ms *= 1000; if (t[4] == "µs") ms /= 1000
            print name "\t" ms }' >"$work/ours"

row() { # name in benches/ops.rs, milliseconds of ImageMagick and of libvips
    local ours
    ours=$(awk -F'\t' -v name="$1" '$1 == name { print $2 }' "$work/ours")
    awk -v name="$1" -v g="$ours" -v i="$2" -v v="$3" 'BEGIN {
        ri = (i == "nan") ? "-" : sprintf("%.1f", i / g)
        rv = (v == "nan") ? "-" : sprintf("%.1f", v / g)
        printf "%-52s %9.0f %12s %9s %8s %8s\n", name, g,
            (i == "nan") ? "-" : sprintf("%.0f", i), (v == "nan") ? "-" : sprintf("%.0f", v), ri, rv
    }'
}

printf '%-52s %9s %12s %9s %8s %8s\n' "24 MP, 8 bits, $threads threads" "ganvas ms" \
    "ImageMagick" "libvips" "IM/us" "vips/us"
row "copy" nan "$(lv copy)"
row "crop x=500 y=300 width=5000 height=3400" \
    "$(im -crop 5000x3400+500+300 +repage)" "$(lv crop 500 300 5000 3400)"
row "rotate90 turns=1" "$(im -rotate 90)" "$(lv rot d90)"
row "rotate angle=7 expand=true" \
    "$(im -background none -virtual-pixel none -interpolate catrom +distort SRT 7)" \
    "$(lv similarity --angle 7 --interpolate bicubic)"
row "flip axis=horizontal" "$(im -flop)" "$(lv flip horizontal)"
row "flip axis=vertical" "$(im -flip)" "$(lv flip vertical)"
row "resize width=3000 height=2000 filter=lanczos3" \
    "$(im -filter Lanczos -resize 3000x2000!)" "$(lv resize 0.5 --kernel lanczos3)"
row "resize width=3000 height=2000 filter=bicubic" \
    "$(im -filter Catrom -resize 3000x2000!)" "$(lv resize 0.5 --kernel cubic)"
row "resize width=3000 height=2000 filter=bilinear" \
    "$(im -filter Triangle -resize 3000x2000!)" "$(lv resize 0.5 --kernel linear)"
row "resize width=3000 height=2000 filter=nearest" \
    "$(im -filter Point -resize 3000x2000!)" "$(lv resize 0.5 --kernel nearest)"
row "resize width=9000 height=6000 filter=lanczos3" \
    "$(im -filter Lanczos -resize 9000x6000!)" "$(lv resize 1.5 --kernel lanczos3)"
row "canvas_size width=6400 height=4400" \
    "$(im -background none -gravity center -extent 6400x4400)" "$(lv gravity centre 6400 4400)"
row "brightness_contrast brightness=20 contrast=30" \
    "$(im -brightness-contrast 20x30)" "$(lv linear 1.3 -10 --uchar)"
row "exposure ev=0.7" \
    "$(im -colorspace RGB -evaluate multiply 1.62 -colorspace sRGB)" nan
row "hue_saturation hue=40 saturation=20 lightness=5" "$(im -modulate 105,120,122)" nan
row "levels black=0.05 white=0.9 gamma=1.3" "$(im -level 5%,90%,1.3)" nan
row "gamma value=1.6" "$(im -gamma 1.6)" "$(lv gamma --exponent 1.6)"
row "white_balance temperature=30 tint=10" \
    "$(im -colorspace RGB -color-matrix '1.1 0 0 0 1 0 0 0 0.8' -colorspace sRGB)" nan
row "invert" "$(im -negate)" "$(lv invert)"
row "gaussian_blur sigma=1.5" "$(im -blur 0x1.5)" "$(lv gaussblur 1.5)"
row "gaussian_blur sigma=5" "$(im -blur 0x5)" "$(lv gaussblur 5)"
row "gaussian_blur sigma=30" "$(im -blur 0x30)" "$(lv gaussblur 30)"
row "unsharp_mask sigma=1.5 amount=0.8 threshold=0.02" \
    "$(im -unsharp 0x1.5+0.8+0.02)" "$(lv sharpen --sigma 1.5)"
