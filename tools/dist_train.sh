#!/usr/bin/env bash
# Train in several processes: tools/dist_train.sh CONFIG PROCESSES [arguments of tools/train.py]
# One process a GPU; without a GPU they share the CPU. NNODES, NODE_RANK, MASTER_ADDR and PORT set up several machines.
set -euo pipefail
[ $# -ge 2 ] || { echo "usage: $0 CONFIG PROCESSES [arguments of tools/train.py]" >&2; exit 2; }

exec python -m torch.distributed.run \
    --nnodes="${NNODES:-1}" --node_rank="${NODE_RANK:-0}" --nproc_per_node="$2" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${PORT:-29500}" \
    "$(dirname "$0")/train.py" "$1" --launcher pytorch "${@:3}"
