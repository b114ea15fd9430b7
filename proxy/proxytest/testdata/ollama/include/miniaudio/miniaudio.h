// Stands in for miniaudio, which the Ollama module's archive leaves out because it lies in a folder
// called vendor. Only audio input uses it, and the tests send none: every call answers that the bytes
// cannot be decoded.
#ifndef KEYTRAY_MINIAUDIO_STAND_IN_H
#define KEYTRAY_MINIAUDIO_STAND_IN_H

#include <stddef.h>

typedef int ma_result;
typedef unsigned long long ma_uint64;
typedef struct { int unused; } ma_decoder;
typedef struct { int unused; } ma_decoder_config;

enum { MA_SUCCESS = 0, MA_CANNOT_DECODE = -1 };
enum { ma_format_f32 = 5 };

static inline ma_decoder_config ma_decoder_config_init(int, unsigned, unsigned) { return ma_decoder_config(); }
static inline ma_result ma_decoder_init_memory(const void *, size_t, const ma_decoder_config *, ma_decoder *) { return MA_CANNOT_DECODE; }
static inline ma_result ma_decoder_get_length_in_pcm_frames(ma_decoder *, ma_uint64 *) { return MA_CANNOT_DECODE; }
static inline ma_result ma_decoder_read_pcm_frames(ma_decoder *, void *, ma_uint64, ma_uint64 *) { return MA_CANNOT_DECODE; }
static inline ma_result ma_decoder_uninit(ma_decoder *) { return MA_SUCCESS; }

#endif
