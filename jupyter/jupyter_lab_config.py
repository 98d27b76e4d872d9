"""JupyterLab for this course: nothing is asked of any other machine, and only what matters is printed.

`course lab` puts this folder first on JUPYTER_CONFIG_PATH.
"""

from pathlib import Path

c = get_config()  # noqa: F821  (Jupyter defines it)

c.LabApp.news_url = None
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
c.LabApp.extension_manager = "readonly"
c.LabApp.log_level = "WARN"       # `course lab` tells the server, which speaks before it reads this
c.LanguageServerManager.autodetect = False
# Its page_config.json and overrides.json.
c.LabApp.app_settings_dir = str(Path(__file__).resolve().parent / "lab")

# Kernels encrypt where they can; left at its default, every kernel prints that it does not.
c.KernelManager.transport_encryption = "auto"

# One Ctrl-C ends it. A question whether that was meant would be asked beneath a `make` that has ended.
c.ServerApp.answer_yes = True
# In a container one often is root. Only this machine is listened to, and only with the token.
c.ServerApp.allow_root = True
