package dev.corral.guardmodels.image;

/** A file under inspection: reading beyond its end says that it is truncated. */
@SuppressWarnings("ArrayRecordComponent") // a view, never compared
record Bytes(byte[] file) {

    int size() {
        return file.length;
    }

    int u8(int at) throws UndecodableException {
        require(at, 1);
        return file[at] & 0xff;
    }

    int u16(int at) throws UndecodableException {
        return (u8(at) << 8) | u8(at + 1);
    }

    int u16LittleEndian(int at) throws UndecodableException {
        return u8(at) | (u8(at + 1) << 8);
    }

    int u24LittleEndian(int at) throws UndecodableException {
        return u16LittleEndian(at) | (u8(at + 2) << 16);
    }

    long u32(int at) throws UndecodableException {
        return ((long) u16(at) << 16) | u16(at + 2);
    }

    long u32LittleEndian(int at) throws UndecodableException {
        return u16LittleEndian(at) | ((long) u16LittleEndian(at + 2) << 16);
    }

    int s32LittleEndian(int at) throws UndecodableException {
        return (int) u32LittleEndian(at);
    }

    /** Fails where there are not so many bytes from there on. */
    void require(int at, long length) throws UndecodableException {
        if (at < 0 || length > file.length - (long) at) {
            throw UndecodableException.truncated();
        }
    }

    boolean startsWith(int at, String characters) {
        return ImageFormat.startsWith(file, at, characters);
    }
}
