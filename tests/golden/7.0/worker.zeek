##! What this node alone has; written by clusterctl.

redef AF_Packet::fanout_id = 4711;
redef AF_Packet::block_timeout = 10msecs;
redef AF_Packet::buffer_size = 268435456;
redef AF_Packet::enable_defrag = T;
redef AF_Packet::fanout_mode = AF_Packet::FANOUT_HASH;
redef Notice::mail_dest = getenv("MAIL");
redef Pcap::bufsize = 256;
redef Site::local_zones += { "example.org", "a\"b\\c\x07é" };
redef ignore_checksums = F;
