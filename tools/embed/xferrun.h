/* xferrun in other programs: classifies images with a network that was fine-tuned, and fine-tunes one.
 *
 * Errors are values: a function that can fail returns a status, and says more in an xf_error where the caller
 * gives one (it may be null). No function exits, prints, or installs a signal handler, and no C++ exception
 * leaves the library.
 *
 * Threads: any thread may call anything at any time. Calls on one model wait for each other; calls on
 * different models, and trainings, run at the same time, each with its own number of threads (OpenMP's own
 * number for the calling thread is put back at the end).
 *
 * Process-wide are only the destination of log lines (xf_set_log) and what the libraries below have of their
 * own:
 *  - HDF5, which reads and writes runs, prints an error stack unless told not to: it is told not to. Where it
 * was built without thread safety, as Debian's is, a program that uses it too must not do so while xf_load()
 * or xf_fine_tune() runs in another thread.
 *  - OpenMP keeps a pool of threads for each thread that called.
 * After fork() only a process that had made no call before may make one.
 *
 * This interface is stable: functions and fields are added, none are changed or removed, as long as the
 * library is libxferrun.so.0. */
/* NOLINTBEGIN: C, with C's names */
#ifndef XFERRUN_H
#define XFERRUN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The same numbers as the exit codes of the program. */
typedef enum xf_status {
  XF_OK = 0,
  XF_USAGE = 2,        /* an argument or option cannot be used as given */
  XF_BAD_DATA = 65,    /* input was read and is wrong */
  XF_NO_INPUT = 66,    /* an input is not there, or may not be read */
  XF_UNAVAILABLE = 69, /* a device, driver or library is not available */
  XF_INTERNAL = 70,    /* a defect of the library */
  XF_NO_MEMORY = 71,   /* it does not fit in memory */
  XF_EXISTS = 73,      /* the output exists already, or another process writes there */
  XF_WRITE_FAILED = 74,
  XF_STOPPED = 75, /* the training was stopped after its state was saved: it can be resumed */
  XF_DIVERGED = 76 /* the loss is no longer a finite number */
} xf_status;

/* What went wrong, in UTF-8 where file names are; cut off where it is longer. Empty after XF_OK. */
typedef struct xf_error {
  char what[3072];   /* "WHAT: WHY" */
  char remedy[1024]; /* what to do about it */
} xf_error;

/* "0.1.0" */
const char* xf_version(void);

/* A log line, without a newline. `warning` is 1 for what somebody probably wants to change, else 0. */
typedef void (*xf_log)(int warning, const char* line, void* user);

/* Where log lines of the whole process go from now on: to `log`, which is called by one thread at a time,
 * with `user`; null: to stderr, as at first. It must not call this library. */
void xf_set_log(xf_log log, void* user);

/* ---- A trained network ---- */

typedef struct xf_model xf_model;

/* Begin with XF_LOAD_OPTIONS, so that what a later version adds has its default. 0 or null: the default. */
typedef struct xf_load_options {
  size_t size;           /* sizeof(xf_load_options) */
  const char* device;    /* "auto" (the first GPU, else the CPU), "cpu", "cuda", "cuda:1" … */
  const char* precision; /* "f32", "tf32" (GPU), "bf16", "f16" (GPU) */
  int32_t threads;       /* every core that the process may use */
  int32_t batch;         /* 1: how many images are computed at once; fewer take as long as so many */
} xf_load_options;
#define XF_LOAD_OPTIONS \
  { sizeof(xf_load_options), NULL, NULL, 0, 0 }

/* Loads the best weights of a RUN folder of `xferrun fine-tune` or xf_fine_tune(). `options` may be null. On
 * failure *model is null. */
xf_status xf_load(const char* run, const xf_load_options* options, xf_model** model, xf_error* error);

/* Null is allowed. No call on the model may be under way. */
void xf_free(xf_model* model);

int32_t xf_class_count(const xf_model* model);
/* Null where there is no such class. It lives as long as the model. */
const char* xf_class_name(const xf_model* model, int32_t index);
/* Numbers in the feature vector of an image. */
int32_t xf_feature_count(const xf_model* model);
/* Rows and columns that images are resized to. */
void xf_input_size(const xf_model* model, int32_t* height, int32_t* width);
/* Of the weights: another as soon as one of them differs. It lives as long as the model. */
const char* xf_model_id(const xf_model* model);

/* Classifies `count` images of one size: RGB bytes, count x height x width x 3, rows from the top, at least
 * 2x2 pixels and at most 16384 a side. They are resized as the network's weights want it. `probabilities`
 * gets count x xf_class_count(). The same images give the same bits as long as threads, batch and device are
 * the same. */
xf_status xf_classify(xf_model* model, const uint8_t* rgb, size_t count, int32_t height, int32_t width,
                      float* probabilities, xf_error* error);
/* Their feature vectors, the input of the last layer: `features` gets count x xf_feature_count(). */
xf_status xf_features(xf_model* model, const uint8_t* rgb, size_t count, int32_t height, int32_t width,
                      float* features, xf_error* error);

/* The same for PNG, JPEG or BMP files of any size. A run whose view takes several images of a glitch is
 * refused. After a failure it is not said which part of the output was written. */
xf_status xf_classify_files(xf_model* model, const char* const* paths, size_t count, float* probabilities,
                            xf_error* error);
xf_status xf_features_files(xf_model* model, const char* const* paths, size_t count, float* features,
                            xf_error* error);

/* ---- Training ---- */

/* How far a training is. A later version may have more fields behind these. */
typedef struct xf_progress {
  int32_t epoch, epochs;             /* from 1 */
  int64_t images_done, images_total; /* of this epoch */
  double loss;                       /* of the last step; at the end of an epoch, of all of it */
  int32_t epoch_ended;               /* 1 once an epoch, when it is validated; else 0 */
  double train_top1, val_top1;       /* at the end of an epoch, from 0 to 1; NaN where not known */
} xf_progress;

/* Called after each step and at the end of each epoch, in the thread that called xf_fine_tune(). Returns 0 to
 * go on. With any other answer the training ends its step, saves its state and ends with XF_STOPPED, unless
 * it was in the last step. */
typedef int (*xf_watch)(const xf_progress* progress, void* user);

/* Fine-tunes a network as `xferrun fine-tune` does, into a RUN folder that xf_load() takes. `options` is a
 * JSON object: the options of `xferrun fine-tune --help` without dashes, as in a file for its --config:
 *   {"model": "inception_v3", "weights": "weights.h5", "data": "glitches", "out": "run", "epochs": 5}
 * With "resume": true a training that was stopped or killed goes on where its last checkpoint is, and begins
 * where there is none. "max-minutes" counts from this call. "seeds" and "leave-glitches-out", which train
 * several times, are refused. `watch` may be null. */
xf_status xf_fine_tune(const char* options, xf_watch watch, void* user, xf_error* error);

#ifdef __cplusplus
}
#endif

#endif
/* NOLINTEND */
