# Starts and stops the servers of a cluster on loopback addresses. Sourced by `run`, which sets `scratch`, `built`
# and `pids`.
# shellcheck shell=bash disable=SC2154

# Puts a kubectl of the control plane's version first on the PATH. Its caches and preferences go to a temporary home
# folder.
make_kubectl() {
  mkdir "$scratch/bin"
  printf '#!/bin/sh\nHOME=%q exec %q "$@"\n' "$scratch" "$built/kubectl" >"$scratch/bin/kubectl"
  chmod +x "$scratch/bin/kubectl"
  PATH=$scratch/bin:$PATH
}

# free_ports COUNT: prints free ports. All are open at the same time, so that they differ.
free_ports() {
  python3 - "$1" <<'PYTHON'
import socket, sys
held = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
print(*(s.getsockname()[1] for s in held))
PYTHON
}

# server NAME PROGRAM ARGUMENT...: starts a server in the background, with its own log file.
server() {
  local name=$1
  shift
  HOME=$scratch "$@" >"$scratch/$name.log" 2>&1 &
  pids+=("$!")
  names[$!]=$name
}
declare -A names

servers_alive() {
  local pid
  for pid in "${pids[@]}"; do
    kill -0 "$pid" 2>/dev/null && continue
    tail -n 20 "$scratch/${names[$pid]}.log" >&2
    fail "${names[$pid]} exited"
  done
}

stop_servers() {
  local at
  # In reverse order, so that etcd ends after its clients.
  for ((at = ${#pids[@]} - 1; at >= 0; at--)); do
    kill "${pids[at]}" 2>/dev/null || true
  done
  for ((at = ${#pids[@]} - 1; at >= 0; at--)); do
    wait "${pids[at]}" 2>/dev/null || true
  done
}

# eventually SECONDS COMMAND...: polls until the command succeeds; fails early when a server has exited.
eventually() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>"$scratch/last-error"; do
    servers_alive
    if ((SECONDS >= deadline)); then
      cat "$scratch/last-error" >&2
      fail "timed out: $*"
    fi
    sleep 0.3
  done
}

start_control_plane() {
  local etcd peer api token
  read -r etcd peer api < <(free_ports 3)

  server etcd "$built/controlplane" etcd --data-dir "$scratch/etcd" --unsafe-no-fsync --log-level error \
    --listen-client-urls "http://127.0.0.1:$etcd" --advertise-client-urls "http://127.0.0.1:$etcd" \
    --listen-peer-urls "http://127.0.0.1:$peer" --initial-advertise-peer-urls "http://127.0.0.1:$peer" \
    --initial-cluster "default=http://127.0.0.1:$peer"

  openssl genrsa -out "$scratch/service-account.key" 2048 2>/dev/null
  token=$(openssl rand -hex 32)
  (umask 077; printf '%s,admin,admin,system:masters\n' "$token" >"$scratch/tokens.csv")
  # The advertised address is from the documentation range (RFC 5737): nothing connects to it.
  server kube-apiserver "$built/controlplane" kube-apiserver --etcd-servers "http://127.0.0.1:$etcd" \
    --bind-address 127.0.0.1 --secure-port "$api" --cert-dir "$scratch/apiserver" \
    --advertise-address 192.0.2.1 --endpoint-reconciler-type none \
    --authorization-mode RBAC --token-auth-file "$scratch/tokens.csv" \
    --service-account-issuer https://kubernetes.default.svc \
    --service-account-key-file "$scratch/service-account.key" \
    --service-account-signing-key-file "$scratch/service-account.key" \
    --service-cluster-ip-range 10.96.0.0/16

  export KUBECONFIG=$scratch/kubeconfig
  cat >"$KUBECONFIG" <<YAML
apiVersion: v1
kind: Config
current-context: test
clusters:
  - name: test
    cluster: {server: "https://127.0.0.1:$api", certificate-authority: $scratch/apiserver/apiserver.crt}
users:
  - name: admin
    user: {token: $token}
contexts:
  - name: test
    context: {cluster: test, user: admin}
YAML
  eventually 180 kubectl get --raw /readyz

  server kube-controller-manager "$built/controlplane" kube-controller-manager --kubeconfig "$KUBECONFIG" \
    --secure-port 0 --leader-elect=false --root-ca-file "$scratch/apiserver/apiserver.crt" \
    --service-account-private-key-file "$scratch/service-account.key" \
    --horizontal-pod-autoscaler-sync-period 2s --kube-api-qps 200 --kube-api-burst 400
  server kube-scheduler "$built/controlplane" kube-scheduler --kubeconfig "$KUBECONFIG" \
    --secure-port 0 --leader-elect=false
  eventually 120 kubectl --namespace default get serviceaccount default
}

install_definitions() {
  local file
  for file in "$@"; do
    # `apply` would store a copy in an annotation, and some of these are too long for that.
    kubectl create -f "$file" >/dev/null
  done
  kubectl wait --for=condition=Established --timeout=120s customresourcedefinition --all >/dev/null
}

# start_nodes STAGES: two pools with the labels and taints of deploy/terraform, and one node outside them.
start_nodes() {
  local stages=$1 number
  # kwok's rules for volumes are for the class kwok-volume, which is renamed here to that of DigitalOcean.
  mkdir "$scratch/volume"
  for file in "$stages"/volume/fast/{pvc-provision,pvc-delete,pv-bind,pv-delete,storage-class}.yaml; do
    sed 's/kwok-volume/do-block-storage/g' "$file" >"$scratch/volume/$(basename "$file")"
  done
  server kwok "$built/controlplane" kwok --kubeconfig "$KUBECONFIG" --manage-all-nodes --node-lease-duration-seconds 40 \
    --config "$stages/node/fast/node-initialize.yaml" \
    --config "$stages/node/heartbeat-with-lease/node-heartbeat-with-lease.yaml" \
    --config "$stages/pod/fast/pod-ready.yaml" --config "$stages/pod/fast/pod-complete.yaml" \
    --config "$stages/pod/fast/pod-delete.yaml" \
    --config "$scratch/volume/pvc-provision.yaml" --config "$scratch/volume/pvc-delete.yaml" \
    --config "$scratch/volume/pv-bind.yaml" --config "$scratch/volume/pv-delete.yaml"
  kubectl create -f "$scratch/volume/storage-class.yaml" >/dev/null
  for number in 1 2 3; do
    node "model-services-$number" 1900m 2560Mi '{workload: model-services}' '[]'
    node "logging-system-$number" 3900m 6Gi '{workload: logging-system}' \
      '[{key: workload, value: logging-system, effect: NoSchedule}]'
  done
  node other 7900m 14Gi '{}' '[]'
  eventually 120 kubectl wait --for=condition=Ready --timeout=1s node --all
}

# node NAME CPU MEMORY LABELS TAINTS
node() {
  kubectl create -f - >/dev/null <<YAML
apiVersion: v1
kind: Node
metadata:
  name: $1
  labels: $4
spec:
  taints: $5
status:
  allocatable: {cpu: $2, memory: $3, pods: "110"}
  capacity: {cpu: $2, memory: $3, pods: "110"}
YAML
  kubectl label node "$1" "kubernetes.io/hostname=$1" kubernetes.io/os=linux kubernetes.io/arch=amd64 >/dev/null
}

start_elastic_operator() {
  kubectl create namespace elastic-system >/dev/null
  # Outside of the cluster no webhook can be called; the operator makes the same checks when it reconciles.
  server elastic-operator "$built/elastic-operator" manager --operator-namespace elastic-system \
    --enable-leader-election=false --enable-webhook=false --manage-webhook-certs=false --metrics-port=0 \
    --disable-telemetry --disable-config-watch --log-verbosity=0
}
