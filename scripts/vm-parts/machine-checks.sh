# shellcheck shell=bash disable=SC2016
# What virtual machines show and namespaces cannot: another kernel and its modules, virtio NICs with their offloads,
# systemd, a reboot, ARP on a real segment, a pulled cable. Sourced by scripts/vm-test, which runs machine_checks.

readonly MAIL_SERVER=172.22.1.110 PATIENCE=600

# on MACHINE COMMAND: by ssh; connections are kept for the next command.
on() {
  ssh -F "$WORK/ssh-config" -o ControlMaster=auto -o ControlPath="$WORK/ssh-%n" -o ControlPersist=60 \
    -o ConnectTimeout=30 -o ServerAliveInterval=5 -o LogLevel=ERROR "$@"
}

# eventually COMMAND...: until it succeeds; a second between, $PATIENCE seconds at most.
eventually() {
  local until=$((SECONDS + PATIENCE))
  until "$@"; do
    [[ $SECONDS -lt $until ]] || { echo "waited $PATIENCE s for: $*"; return 1; }
    sleep 1
  done
}
fails() { ! "$@"; }

# some_checks TEXT: those of run-checks with that text in their name.
some_checks() { on outside "run-checks --only '$1'"; }
mail_passes() { some_checks 'illegal commands'; }

# --- the kernel ---------------------------------------------------------------------------------------------------
own_kernel() {
  local kernel
  kernel=$(on router uname -r)
  echo "the router runs $kernel, the host $(uname -r)"
  [[ $kernel != "$(uname -r)" ]]
}
modules_loaded() {
  on router 'lsmod; test "$(lsmod | grep -cE "^(nfnetlink_queue|xt_NFQUEUE|xt_CT) ")" -eq 3'
}
rules_are_by() { # nft or legacy
  on router "sudo iptables-$1 -t raw -S; sudo iptables-$1 -t raw -S | grep -q -- '-j NFQUEUE --queue-num 0$'"
}
switch_to() { # nft or legacy
  on router "set -e; sudo systemctl stop fw3640 fw3640-closed
    for program in iptables ip6tables; do sudo update-alternatives --set \$program /usr/sbin/\$program-$1; done
    sudo systemctl start fw3640"
  rules_are_by "$1"
}

# --- virtio -------------------------------------------------------------------------------------------------------
# Runs checks while a wiretap on the router watches for packets larger than any frame that come in (on a slow path TCP makes them of two segments only).
super_packets() { # FILTER CHECKS
  local unit=super-$RANDOM code=0
  on router "sudo systemd-run -q --unit $unit tcpdump -i any -nnl --immediate-mode 'greater 1600 and $1'"
  eventually on router "sudo journalctl -u $unit -o cat | grep -q 'listening on'" && some_checks "$2" || return 1
  eventually on router "test \"\$(sudo journalctl -u $unit -o cat | grep -c ' In .* length [0-9]')\" -ge 10" || code=1
  on router "sudo systemctl stop $unit; sudo journalctl -u $unit -o cat | grep ' In ' | sed 's/.* length \([0-9]*\).*/\1/' | sort -n | uniq -c | tail -5"
  return $code
}

# --- the segment --------------------------------------------------------------------------------------------------
answers_arp() { # ADDRESS
  local mac neighbour
  mac=$(on router cat /sys/class/net/eth1/address)
  neighbour=$(on outside "sudo ip neigh flush dev eth1; ping -c 1 -W 5 $1 >/dev/null; ip neigh show $1")
  echo "$neighbour; the router is $mac"
  [[ $neighbour == *"lladdr $mac"* ]]
}

# The NIC of the router on network fw-outside, as libvirt names it.
router_cable() { virsh -q domiflist "$ROUTER" | sed -n 's/^ *\(vnet[0-9]*\) .* fw-outside .*/\1/p'; }
carrier_is() { [[ $(on router cat /sys/class/net/eth1/carrier) == "$1" ]]; }
session_survives_pulled_cable() {
  local cable in out first reply shown
  cable=$(router_cable)
  coproc HOLD { on outside 'node /opt/fw3640-checks/hold.mjs'; }
  in=${HOLD[1]} out=${HOLD[0]}
  read -r -t "$PATIENCE" first <&"$out"
  echo "held: $first"
  virsh -q domif-setlink "$ROUTER" "$cable" down
  eventually carrier_is 0
  echo >&"$in" # its segment gets lost
  shown=$(on router 'sudo fw3640 console -e "show interfaces"')
  virsh -q domif-setlink "$ROUTER" "$cable" up
  grep 'line protocol' <<<"$shown"
  eventually carrier_is 1
  read -r -t "$PATIENCE" reply <&"$out"
  echo "after it: $reply"
  eval "exec $in>&-"
  wait "$HOLD_PID" 2>/dev/null || true
  [[ $reply == 250* && $shown == *'Ethernet2/0 is '*'line protocol is down'* ]]
}

# --- nothing uninspected crosses ----------------------------------------------------------------------------------
# Knocks from both sides, and wiretaps on both sides for what must not arrive: anything from outside but mail, the
# control connection of the checks, and answers to the knocks from inside; anything with an inside local address.
start_knocking() {
  local router_outside router_inside
  router_outside=$(on router cat /sys/class/net/eth1/address)
  router_inside=$(on router cat /sys/class/net/eth2/address)
  # Known for good, so that frames go out although nobody answers ARP.
  on outside "sudo ip neigh replace 172.22.1.16 lladdr $router_outside nud permanent dev eth1
    sudo ip neigh replace $MAIL_SERVER lladdr $router_outside nud permanent dev eth1"
  on inside "sudo ip neigh replace 10.10.10.1 lladdr $router_inside nud permanent dev eth1"
  wiretap
  on outside 'sudo systemd-run -q --unit knock node /opt/fw3640-checks/knock.mjs outside'
  on inside 'sudo systemd-run -q --unit knock node /opt/fw3640-checks/knock.mjs inside'
}
wiretap() {
  tap inside 'src host 172.22.1.10 and not tcp port 25 and not tcp port 7000 and not tcp src port 80 and not (icmp and icmp[0] != 8)'
  tap outside 'src net 10.10.10.0/24'
}
tap() { # MACHINE FILTER
  on "$1" "sudo systemctl stop tap 2>/dev/null; sudo systemctl reset-failed tap 2>/dev/null; sudo rm -f /var/tmp/tap.pcap
    sudo systemd-run -q --unit tap tcpdump -i eth1 -nU --immediate-mode -Z root -w /var/tmp/tap.pcap '$2'"
  eventually on "$1" 'test -s /var/tmp/tap.pcap'
}
stop_knocking() {
  local machine
  for machine in inside outside; do on "$machine" 'sudo systemctl stop knock tap' || true; done
  on outside 'sudo ip neigh flush dev eth1 nud permanent'
  on inside 'sudo ip neigh flush dev eth1 nud permanent'
}
crossed() { # MACHINE: packets that should not have arrived there
  on "$1" 'sudo tcpdump -nr /var/tmp/tap.pcap 2>/dev/null' >"$WORK/crossed" || true
  wc -l <"$WORK/crossed"
}
nothing_crossed() {
  local machine count bad=0
  for machine in inside outside; do
    count=$(crossed "$machine")
    if [[ $count -gt 0 ]]; then
      echo "$count packets at $machine:" && head -5 "$WORK/crossed"
      bad=1
    fi
  done
  return $bad
}
crosses_both_ways() { [[ $(crossed inside) -gt 0 && $(crossed outside) -gt 0 ]]; }
# The knocking goes on: several knocks of each kind have been sent since.
after_more_knocks() {
  local before now
  before=$(knocks)
  until now=$(knocks) && [[ $now -gt $((before + 80)) ]]; do sleep 0.5; done
}
knocks() { on outside "awk '/eth1:/ {print \$11}' /proc/net/dev"; }

# The worst box to be a firewall on: it has its addresses and forwards by itself, from the first moment on.
worst_box() {
  on router 'set -e
    echo "net.ipv4.ip_forward = 1" | sudo tee /etc/sysctl.d/90-forward.conf >/dev/null
    printf "auto eth1 eth2\niface eth1 inet static\n address 172.22.1.16/24\niface eth2 inet static\n address 10.10.10.1/24\n" |
      sudo tee /etc/network/interfaces.d/static >/dev/null
    grep -q interfaces.d /etc/network/interfaces || echo "source /etc/network/interfaces.d/*" | sudo tee -a /etc/network/interfaces >/dev/null
    sudo systemctl stop fw3640
    sudo sysctl -qw net.ipv4.ip_forward=1
    sudo ifup eth1 eth2'
}

stopped_is_closed() {
  after_more_knocks
  nothing_crossed
}
closed_is_what_holds() { # without it the knocks do cross: the wiretaps would tell
  on router 'sudo systemctl stop fw3640-closed'
  eventually crosses_both_ways
}
start_closes() {
  on router 'sudo systemctl start fw3640'
  wiretap
  after_more_knocks
  nothing_crossed && mail_passes
}
killed_is_closed() {
  wiretap
  local before
  before=$(main_pid)
  on router 'sudo systemctl kill -s KILL fw3640'
  eventually runs_as_other_than "$before" || return 1
  after_more_knocks
  nothing_crossed && mail_passes
}
main_pid() { on router 'systemctl show -p MainPID --value fw3640'; }
is_active() { on router 'systemctl is-active --quiet fw3640'; }
runs_as_other_than() { is_active && [[ $(main_pid) != "$1" ]]; }

refused_configuration_is_closed() {
  wiretap
  on router 'sudo cp /etc/fw3640/startup-config /var/tmp/good; echo "ip inspect nonsense" | sudo tee -a /etc/fw3640/startup-config >/dev/null
    ! sudo systemctl restart fw3640 2>/dev/null' || { echo 'it started'; return 1; }
  after_more_knocks
  on router 'test "$(systemctl is-active fw3640)" = failed && sudo cp /var/tmp/good /etc/fw3640/startup-config' && nothing_crossed &&
    on router 'sudo systemctl start fw3640' && mail_passes
}

boot_id() { on router cat /proc/sys/kernel/random/boot_id 2>/dev/null; }
rebooted_from() { local now; now=$(boot_id) && [[ -n $now && $now != "$1" ]]; }
reboot_is_closed() {
  wiretap
  local before
  before=$(boot_id)
  on router 'sudo systemctl --no-block start reboot.target' || true # not `systemctl reboot`: the box has no logind
  on router -O exit 2>/dev/null || true
  eventually rebooted_from "$before" && eventually is_active && mail_passes || return 1
  after_more_knocks
  on router 'systemd-analyze; cat /proc/sys/net/ipv4/ip_forward'
  nothing_crossed
}
closed_before_network() {
  on router 'for unit in fw3640-closed networking fw3640; do
      echo "$(systemctl show -p ExecMainStartTimestampMonotonic --value $unit) $(systemctl show -p ActiveEnterTimestampMonotonic --value $unit) $unit"
    done' | tee "$WORK/order"
  local closed network
  closed=$(awk '$3 == "fw3640-closed" {print $2}' "$WORK/order")
  network=$(awk '$3 == "networking" {print $1}' "$WORK/order")
  [[ $closed -gt 0 && $closed -lt $network ]]
}

# --- the service --------------------------------------------------------------------------------------------------
journal_has() { on router "sudo journalctl -u fw3640 -o cat --no-pager | grep -m1 -- '$1'"; }
reloads() { on router 'sudo systemctl reload fw3640' && eventually journal_has 'by SIGHUP'; }
few_privileges() {
  on router 'pid=$(systemctl show -p MainPID --value fw3640); grep -E "CapBnd|NoNewPrivs" /proc/$pid/status
    grep -q "CapBnd:.*0000000000003400" /proc/$pid/status && grep -q "NoNewPrivs:.*1" /proc/$pid/status'
}
# The Vagrantfile's provisioning once more, on a router with sessions and settings: it upgrades and breaks nothing.
provisions_again() {
  local machine pids=() pid code=0
  for machine in router inside outside; do
    on "$machine" "sudo bash -s $machine" <packaging/vagrant/provision.sh >"$WORK/again-$machine" 2>&1 &
    pids+=($!)
  done
  for pid in "${pids[@]}"; do wait "$pid" || code=1; done
  cat "$WORK"/again-*
  [[ $code -eq 0 ]] && is_active && mail_passes
}

# --- docs/deploy.md -------------------------------------------------------------------------------------------------
# documented WORDS: the command of docs/deploy.md that begins with them.
documented() { sed -n 's/^    //p' docs/deploy.md | grep -m1 "^$1" || { echo "docs/deploy.md has no command $1" >&2; return 1; }; }
# As an operator types them, in the checkout on the router. What needs more network than the machines have is left out:
# scripts/setup, git.
documented_installation() {
  local check install
  check=$(documented 'node dist/main.js check') && install=$(documented 'sudo scripts/install --config') || return 1
  on router "set -ex; cd /vagrant; cp config/3640.cfg router.cfg; node --version; $check; $install; rm router.cfg
    sudo ls -l /etc/fw3640 /usr/local/bin/fw3640" && is_active
}
documented_mail() {
  local swaks show
  swaks=$(documented 'swaks --server') && show=$(documented "sudo fw3640 console") || return 1
  on outside "$swaks" && on router "$show; sudo fw3640 console -e 'show ip inspect statistics'; ip -br link
    sudo journalctl -u fw3640 -n 3 --no-pager; echo exit | sudo fw3640 console"
}
uninstalls() {
  on router 'set -e; cd /vagrant; sudo scripts/uninstall --purge
    for left in /usr/local/bin/fw3640 /usr/local/lib/fw3640 /etc/fw3640 /run/fw3640; do test ! -e $left; done
    { sudo iptables-save; sudo ip6tables-save; ip address; systemctl list-unit-files --no-pager; } >/tmp/left 2>&1
    ! grep -E "FW3640|172.22.1.110|fw3640" /tmp/left'
}

machine_checks() {
  ROUTER=$(virsh -q list --name | grep -m1 'router')
  check "the router has Debian's own kernel" own_kernel
  check 'the kernel loaded nfnetlink_queue, xt_NFQUEUE and xt_CT when they were wanted' modules_loaded
  check 'the rules are by iptables-nft' rules_are_by nft
  check 'virtio NICs bring super-packets; bulk data through them is intact' super_packets 'tcp port 7001' 'arrives intact'
  check 'super-packets that are rewritten arrive as they should' super_packets 'tcp dst port 25' 'large mail'
  check "ARP for the mail server's inside global address is answered by the router" answers_arp 172.22.1.110
  check "ARP for the second host's, too" answers_arp 172.22.1.111
  check 'ARP for an address that nobody has is not' fails answers_arp 172.22.1.112
  check 'a session outlives a pulled cable, and show interfaces tells of it' session_survives_pulled_cable
  check 'journalctl -u fw3640 shows the log' journal_has 'FW-4-SMTP_INVALID_COMMAND'
  check 'systemctl reload reads the startup-config again' reloads
  check 'the service has three capabilities, and cannot get more' few_privileges
  check 'iptables-legacy does as well' switch_to legacy
  check 'mail passes with iptables-legacy' mail_passes
  check 'back to iptables-nft' switch_to nft

  check 'the worst box: addresses of its own, forwarding on by itself' worst_box
  check 'knocking from both sides begins' start_knocking
  check 'stopped: nothing crosses' stopped_is_closed
  check 'the knocks cross once fw3640-closed is stopped too: the wiretaps see what leaks' closed_is_what_holds
  check 'started again: nothing uninspected crosses, mail does' start_closes
  check 'killed: nothing crosses until it is back' killed_is_closed
  check 'a startup-config that it refuses: nothing crosses, and nothing is tried again' refused_configuration_is_closed
  check 'a reboot: nothing crosses, then mail does' reboot_is_closed
  check 'closed before the network came up' closed_before_network
  check 'knocking ends' stop_knocking
  check 'provisioned again: an upgrade, and mail passes' provisions_again
  check 'docs/deploy.md: check and install as it says' documented_installation
  check 'docs/deploy.md: the first mail as it says, and a look at it' documented_mail
  check 'uninstalled: nothing is left' uninstalls
}
