# shellcheck shell=bash
# A libvirtd of our own for one run of scripts/vm-test: in namespaces of its own for network, mounts and processes, so
# that no bridge, rule or file of the host is touched, and all of it ends with the first process. Sourced there.

# Large things that outlive a run: the base image that Vagrant uploads.
readonly LIBVIRT_STATE=$CACHE/libvirt

libvirt_up() {
  local run=$WORK/libvirt
  mkdir -p "$run"/{run,log,cache} "$LIBVIRT_STATE"/{images,qemu,boot,dnsmasq,network}
  # Disks of a run that was killed; the base images stay.
  find "$LIBVIRT_STATE/images" -type f ! -name '*_vagrant_box_image_*' -delete
  cp -a /etc/libvirt "$run/etc"
  rm -rf "$run"/etc/{storage,qemu/networks,qemu/*.xml,qemu/autostart}
  cat >>"$run/etc/qemu.conf" <<'CONF'
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
namespaces = []
cgroup_controllers = []
stdio_handler = "file"
CONF
  cat >"$run/etc/libvirtd.conf" <<'CONF'
auth_unix_ro = "none"
auth_unix_rw = "none"
unix_sock_group = "root"
log_outputs = "2:file:/var/log/libvirt/libvirtd.log"
CONF
  mkdir -p /run/libvirt /var/log/libvirt /var/cache/libvirt
  mount --bind "$run/etc" /etc/libvirt
  mount --bind "$LIBVIRT_STATE" /var/lib/libvirt
  mount --bind "$run/run" /run/libvirt
  mount --bind "$run/log" /var/log/libvirt
  mount --bind "$run/cache" /var/cache/libvirt
  ip link set lo up
  libvirtd >"$LOGS/libvirtd.out" 2>&1 </dev/null &
  LIBVIRTD=$!
  local tries=300
  until virsh -q -c qemu:///system version >/dev/null 2>&1; do
    if ! kill -0 "$LIBVIRTD" 2>/dev/null || ((tries-- == 0)); then
      cat "$LOGS/libvirtd.out" "$run/log/libvirtd.log" >&2
      return 1
    fi
    sleep 0.1
  done
}

libvirt_down() {
  [[ -n ${LIBVIRTD:-} ]] || return 0
  cp "$WORK/libvirt/log/libvirtd.log" "$LOGS/" 2>/dev/null || true
  kill "$LIBVIRTD" 2>/dev/null || true
  wait "$LIBVIRTD" 2>/dev/null || true
  LIBVIRTD=''
}
