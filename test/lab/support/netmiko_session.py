"""Drives a telnet line with netmiko's cisco_ios driver, as automation does: logs in, looks, configures, saves, leaves.

Arguments: port, name, password, enable secret. Standard output: a JSON object of what each step gave.
"""

import json
import sys

from netmiko import ConnectHandler

port, name, password, secret = sys.argv[1:]
device = ConnectHandler(
    device_type="cisco_ios_telnet",
    host="127.0.0.1",
    port=int(port),
    username=name,
    password=password,
    secret=secret,
)
seen = {"prompt": device.find_prompt()}
device.enable()
seen["enabled"] = device.check_enable_mode()
seen["version"] = device.send_command("show version")
seen["running"] = device.send_command("show running-config")
seen["wrong"] = device.send_command("show nonsense")
seen["configured"] = device.send_config_set(["interface Ethernet2/0", "description set by netmiko"])
seen["left configuration"] = not device.check_config_mode()
seen["saved"] = device.save_config()
seen["interface"] = device.send_command("show running-config interface Ethernet2/0")
device.disconnect()
json.dump(seen, sys.stdout)
