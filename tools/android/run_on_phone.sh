#!/usr/bin/env bash
# Time an exported detector on an Android phone: build ExecuTorch's executor_runner for it, push both, run.
#
#   export ANDROID_NDK=~/Android/Sdk/ndk/27.2.12479018
#   export EXECUTORCH_ROOT=~/executorch        # source checkout of the release in requirements/deploy.txt
#   tools/android/run_on_phone.sh MODEL.pte [ITERATIONS] [THREADS]
#
# THREADS -1, the default, lets the runner count the phone's fast cores. The runner is built once, in
# $EXECUTORCH_ROOT/cmake-out-phone. The pixels it feeds are all 1: latency does not depend on them.
set -euo pipefail

fail() {
    echo "$1" >&2
    exit 2
}

(($# >= 1 && $# <= 3)) || fail "Usage: $0 MODEL.pte [ITERATIONS] [THREADS]"
model=$1 iterations=${2:-100} threads=${3:--1}
[[ -f $model ]] || fail "There is no model $model: write one with tools/export.py --format executorch."
[[ $iterations =~ ^[1-9][0-9]*$ ]] || fail "ITERATIONS must be a number from 1 up, but is $iterations."
[[ $threads =~ ^(-1|[1-9][0-9]*)$ ]] || fail "THREADS must be a number from 1 up, or -1, but is $threads."
command -v adb >/dev/null || fail 'adb is not on the PATH: install the Android SDK platform tools.'
command -v cmake >/dev/null || fail 'cmake is not on the PATH: install CMake 3.24 or newer.'

toolchain=${ANDROID_NDK:-}/build/cmake/android.toolchain.cmake
[[ -f $toolchain ]] || fail "ANDROID_NDK is '${ANDROID_NDK:-}', which holds no Android NDK: set it to the NDK's folder."
[[ -f ${EXECUTORCH_ROOT:-}/examples/portable/executor_runner/executor_runner.cpp ]] ||
    fail "EXECUTORCH_ROOT is '${EXECUTORCH_ROOT:-}', which holds no sources of ExecuTorch: set it to a checkout."
[[ $(adb get-state 2>/dev/null) == device ]] ||
    fail 'adb sees no phone, or several: connect one with USB debugging allowed, or name it in ANDROID_SERIAL.'

build=$EXECUTORCH_ROOT/cmake-out-phone
cmake -S "$EXECUTORCH_ROOT" -B "$build" \
    -DCMAKE_TOOLCHAIN_FILE="$toolchain" \
    -DANDROID_ABI=arm64-v8a \
    -DANDROID_PLATFORM=android-26 \
    -DCMAKE_BUILD_TYPE=Release \
    -DPYTHON_EXECUTABLE="$(command -v python3)" \
    -DEXECUTORCH_BUILD_XNNPACK=ON \
    -DEXECUTORCH_BUILD_EXECUTOR_RUNNER=ON \
    -DEXECUTORCH_BUILD_EXTENSION_EVALUE_UTIL=ON \
    -DEXECUTORCH_BUILD_EXTENSION_RUNNER_UTIL=ON \
    -DEXECUTORCH_ENABLE_LOGGING=ON # the runner says how long it took in its log
cmake --build "$build" --target executor_runner --parallel "$(getconf _NPROCESSORS_ONLN)"

# The one folder that adb may write to and run from; adbd names it so.
phone=$(adb shell 'echo "$TMPDIR"' | tr -d '\r')/mobilenext_det
[[ $phone == /?*/mobilenext_det ]] || fail 'The phone names no TMPDIR for adb: update its system.'
adb shell mkdir -p "$phone"
adb push "$build/executor_runner" "$model" "$phone/"
adb shell chmod 755 "$phone/executor_runner"

name=$(basename "$model")
run() { # adb joins its arguments into one line for the phone's shell
    adb shell "$(printf '%q ' "$phone/executor_runner" "--model_path=$phone/$name" "--cpu_threads=$threads" "$@")" 2>&1
}
log=$(run --num_executions=5) || fail "The model does not run on the phone: $log" # which also wakes it up
log=$(run "--num_executions=$iterations") || fail "The model does not run on the phone: $log"
total=$(sed -nE 's/.*Model executed successfully [0-9]+ time\(s\) in ([0-9.]+) ms.*/\1/p' <<<"$log")
[[ -n $total ]] || fail "The runner did not say how long it took, but: $log"
echo "$name on $(adb shell getprop ro.product.model | tr -d '\r'):" \
    "$(awk -v total="$total" -v n="$iterations" 'BEGIN { printf "%.2f", total / n }') ms per picture" \
    "(mean of $iterations)"
