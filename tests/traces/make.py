"""Makes traces of good and of spoiled traffic: make.py FOLDER. Needs scapy."""

import random
import sys

from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether
from scapy.utils import wrpcap

CLIENT, SERVER = "02:00:00:00:00:01", "02:00:00:00:00:02"
CONNECTIONS, SEGMENTS, SIZE = 500, 12, 900


def connection(number):
    """A whole TCP connection, as pairs of whether the client sends and a packet."""
    client = f"10.1.{number // 250}.{number % 250 + 1}"
    server = f"10.2.{number % 200}.{number // 200 + 1}"
    port = 1024 + number * 7 % 60000
    seq = {True: random.randrange(2**31), False: random.randrange(2**31)}
    time = number * 0.005
    packets = []

    def send(by_client, flags, load=b""):
        nonlocal time
        time += 0.001
        ends = (client, server, port, 80) if by_client else (server, client, 80, port)
        macs = (CLIENT, SERVER) if by_client else (SERVER, CLIENT)
        packet = (
            Ether(src=macs[0], dst=macs[1])
            / IP(src=ends[0], dst=ends[1])
            / TCP(sport=ends[2], dport=ends[3], flags=flags, seq=seq[by_client], ack=seq[not by_client] * ("A" in flags))
            / load
        )
        packet.time = time
        packets.append((by_client, packet))
        seq[by_client] += len(load) + ("S" in flags or "F" in flags)

    send(True, "S")
    send(False, "SA")
    send(True, "A")
    send(True, "PA", b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
    send(False, "A")
    for segment in range(SEGMENTS):
        send(False, "PA", b"x" * SIZE)
        if segment % 4 == 3:
            send(True, "A")
    send(False, "FA")
    send(True, "FA")
    send(False, "A")
    return packets


def scanned():
    """Connections that nobody accepts."""
    for number in range(2000):
        target = f"10.3.{number // 250}.{number % 250 + 1}"
        packet = (
            Ether(src=CLIENT, dst=SERVER)
            / IP(src="10.1.0.1", dst=target)
            / TCP(sport=40000 + number % 1000, dport=22, flags="S", seq=number)
        )
        packet.time = number * 0.001
        yield packet


def spoiled(packet):
    """The packet with a wrong checksum."""
    packet = packet.copy()
    packet[TCP].chksum = 0x1234
    return packet


def main():
    random.seed(1)
    folder = sys.argv[1]
    both = sorted((p for n in range(CONNECTIONS) for p in connection(n)), key=lambda p: p[1].time)
    clean = [packet for _, packet in both]
    segments = {id(packet) for packet in clean if len(packet) > SIZE}

    def lossy(percent):
        return [p for p in clean if id(p) not in segments or random.random() * 100 >= percent]

    for name, packets in {
        "clean": clean,
        "forth": [packet for by_client, packet in both if by_client],
        "back": [packet for by_client, packet in both if not by_client],
        "loss1": lossy(1),
        "loss5": lossy(5),
        "checksums": [spoiled(packet) if by_client else packet for by_client, packet in both],
        "twice": [packet for packet in clean for _ in range(2)],
        "scan": list(scanned()),
    }.items():
        wrpcap(f"{folder}/{name}.pcap", packets)


main()
