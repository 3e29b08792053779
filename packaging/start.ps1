# samtta from a clone and nothing else, on Windows (PowerShell 5.1 or newer). A second run needs no network.
#
#   powershell -ExecutionPolicy Bypass -File packaging\start.ps1 demo [options]     the window on sample images
#   powershell -ExecutionPolicy Bypass -File packaging\start.ps1 test [options]     the tests; options go to pytest
#   powershell -ExecutionPolicy Bypass -File packaging\start.ps1 check [options]    the gate, packaging\check.py
#
# Python packages go into .venv here. pip keeps to its own configuration. The usual wheels of torch are those for the CPU here.

function Say([string]$text) { Write-Host "samtta: $text" }
function Fail([int]$code, [string]$text) {
    [Console]::Error.WriteLine("samtta: $text")
    exit $code
}

# Whether a Python, with its options, can run some code without an error.
function Test-Python([string[]]$words, [string]$code) {
    $program = $words[0]
    $options = @($words | Select-Object -Skip 1)
    if (-not (Get-Command $program -ErrorAction SilentlyContinue)) { return $false }
    & $program @options -c $code *> $null
    return $LASTEXITCODE -eq 0
}

$goal = "$($args[0])"
$rest = @($args | Select-Object -Skip 1)
if ($goal -notin 'demo', 'test', 'check') { Fail 2 'Say what to start: packaging\start.ps1 demo, or packaging\start.ps1 test' }
$extras = ''
if ($goal -ne 'demo') { $extras = '[test]' }

Set-Location -LiteralPath (Split-Path -Parent $PSScriptRoot)
$env:PYTHONPATH = $null
$env:PYTHONHOME = $null
$env:PIP_DISABLE_PIP_VERSION_CHECK = '1'
$env:PIP_USER = '0' # packages for one person are not seen in a virtual environment

# --- Python and its virtual environment

$python = Join-Path $PWD.Path '.venv\Scripts\python.exe'
if (-not (Test-Python @($python) 'import pip, sys; sys.exit(sys.version_info < (3, 11))')) {
    $maker = $null
    foreach ($words in ('py', '-3'), @('python'), @('python3')) {
        if (Test-Python $words 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))') {
            $maker = @($words)
            break
        }
    }
    if (-not $maker) { Fail 1 'CPython 3.11 or newer is needed: winget install Python.Python.3.12, then a new terminal' }
    Say 'making .venv'
    $program = $maker[0]
    $options = @($maker | Select-Object -Skip 1)
    & $program @options -m venv --clear .venv
    if ($LASTEXITCODE -ne 0) { Fail $LASTEXITCODE ".venv could not be made in $($PWD.Path)" }
}

# --- what torch's libraries need

if (-not (Test-Path "$env:SystemRoot\System32\msvcp140.dll")) {
    $runtime = 'winget install --exact --id Microsoft.VCRedist.2015+.x64'
    if (Get-Command winget -ErrorAction SilentlyContinue) {
        Say "the Visual C++ runtime is missing; running: $runtime"
        winget install --exact --id Microsoft.VCRedist.2015+.x64
    } else {
        Say "the Visual C++ runtime is missing, and winget to install it with; by hand: $runtime"
    }
}

# --- Python packages

$key = (Get-FileHash -LiteralPath pyproject.toml).Hash + ' ' + $PWD.Path
$stamp = ".venv\installed$extras"
if ((Get-Content -LiteralPath $stamp -ErrorAction SilentlyContinue) -ne $key) {
    Say 'installing the Python packages into .venv, which takes some minutes'
    $env:PIP_NO_COMPILE = '1' # Python compiles what it imports; most of the 17,000 modules are never imported
    & $python -m pip install --editable ".$extras"
    if ($LASTEXITCODE -ne 0) {
        Fail $LASTEXITCODE 'pip could not install the packages; its words are above. Run this again once that is fixed.'
    }
    if ($goal -ne 'demo') { # from its source, with the torch that is there: by itself pip would get another torch to build it with
        $env:SAM2_BUILD_CUDA = '0'
        & $python -m pip install --no-build-isolation 'sam2>=1.1.0'
        if ($LASTEXITCODE -ne 0) { Fail $LASTEXITCODE 'pip could not install sam2, which tests need; its words are above.' }
    }
    foreach ($file in '.venv\installed', $stamp) { Set-Content -LiteralPath $file -Value $key }
}

# --- and go

$env:PATH = (Join-Path $PWD.Path '.venv\Scripts') + ';' + $env:PATH
switch ($goal) {
    'demo' {
        if (-not $env:OMP_WAIT_POLICY) { $env:OMP_WAIT_POLICY = 'PASSIVE' } # threads that wait by spinning slow a busy machine
        & $python -m samtta_app demo @rest
    }
    'check' { & $python packaging\check.py @rest }
    'test' { & $python -m pytest @rest }
}
exit $LASTEXITCODE
