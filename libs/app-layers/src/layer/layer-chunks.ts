/**
 * Chunks that layers are kept in: what is read of a layer lies in places, and a chunk is fetched whole. A layer's version
 * in the store, and so what is signed, is that of these chunks; see decision 015.
 */
export const LAYER_CHUNK_BYTES = 64 * 1024;
