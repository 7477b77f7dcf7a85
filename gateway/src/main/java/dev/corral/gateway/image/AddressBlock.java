package dev.corral.gateway.image;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.stream.Stream;

/** A block of IP addresses; and which addresses are somebody's on the public internet. */
record AddressBlock(InetAddress first, int bits) {

    /** IANA's IPv4 Special-Purpose Address Registry, multicast, and what clouds answer at to their own machines. */
    private static final List<AddressBlock> NOT_PUBLIC_4 = Stream.of(
                    "0.0.0.0/8", // this network
                    "10.0.0.0/8", // private
                    "100.64.0.0/10", // shared by carriers; metadata of a cloud at 100.100.100.200
                    "127.0.0.0/8", // loopback
                    "168.63.129.16/32", // a cloud's wire server
                    "169.254.0.0/16", // link-local; metadata of most clouds
                    "172.16.0.0/12", // private
                    "192.0.0.0/24", // protocol assignments; metadata of a cloud at 192.0.0.192
                    "192.0.2.0/24", // documentation
                    "192.31.196.0/24", // AS112
                    "192.52.193.0/24", // AMT
                    "192.88.99.0/24", // 6to4 relays
                    "192.168.0.0/16", // private
                    "192.175.48.0/24", // AS112
                    "198.18.0.0/15", // benchmarks
                    "198.51.100.0/24", // documentation
                    "203.0.113.0/24", // documentation
                    "224.0.0.0/4", // multicast
                    "240.0.0.0/4") // reserved, broadcast
            .map(AddressBlock::of)
            .toList();

    /** All that IANA gives out; outside are loopback, mapped, NAT64, unique-local, link-local, multicast. */
    private static final AddressBlock GLOBAL_6 = of("2000::/3");

    private static final List<AddressBlock> NOT_PUBLIC_6 = Stream.of(
                    "2001::/23", // Teredo, ORCHID, benchmarks, and other protocols
                    "2001:db8::/32", // documentation
                    "2002::/16", // 6to4: any IPv4 address inside
                    "2620:4f:8000::/48", // AS112
                    "3fff::/20") // documentation
            .map(AddressBlock::of)
            .toList();

    /** The interface part of ISATAP addresses, which end with any IPv4 address; the local bit may be set. */
    private static final int ISATAP = 0x5efe;

    /** A block as it is written, such as {@code 10.0.0.0/8}. */
    static AddressBlock of(String cidr) {
        int slash = cidr.indexOf('/');
        try {
            return new AddressBlock(
                    InetAddress.getByName(cidr.substring(0, slash)), Integer.parseInt(cidr.substring(slash + 1)));
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException("a block must be an address and a number of bits: " + cidr, e);
        }
    }

    boolean contains(InetAddress address) {
        byte[] a = address.getAddress();
        byte[] b = first.getAddress();
        if (a.length != b.length) {
            return false;
        }
        for (int bit = 0; bit < bits; bit++) {
            int mask = 0x80 >> (bit % 8);
            if (((a[bit / 8] ^ b[bit / 8]) & mask) != 0) {
                return false;
            }
        }
        return true;
    }

    /**
     * Whether an address is one of the public internet, and none that leads somewhere else: to this machine, its network,
     * its cloud, or to an IPv4 address inside of it. Java has turned mapped addresses ({@code ::ffff:1.2.3.4}) into IPv4
     * before.
     */
    static boolean isPublic(InetAddress address) {
        if (address instanceof Inet4Address) {
            return NOT_PUBLIC_4.stream().noneMatch(block -> block.contains(address));
        }
        return GLOBAL_6.contains(address)
                && NOT_PUBLIC_6.stream().noneMatch(block -> block.contains(address))
                && !isIsatap(address.getAddress());
    }

    private static boolean isIsatap(byte[] address) {
        boolean local = (address[8] & ~2) == 0 && address[9] == 0;
        return local && (((address[10] & 0xff) << 8) | (address[11] & 0xff)) == ISATAP;
    }
}
