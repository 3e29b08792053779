; Installer for Windows by Inno Setup: iscc /DVersion=0.1.0 packaging\windows.iss, after packaging/bundle.py folder.
[Setup]
AppId=samtta
AppName=samtta
AppVersion={#Version}
DefaultDirName={autopf}\samtta
DefaultGroupName=samtta
PrivilegesRequired=lowest
PrivilegesRequiredOverridesAllowed=dialog
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
LicenseFile=..\LICENSE
SetupIconFile=..\dist\samtta.ico
UninstallDisplayIcon={app}\samtta.exe
OutputDir=..\dist
OutputBaseFilename=samtta-{#Version}-setup
Compression=lzma2
SolidCompression=yes

[Files]
Source: "..\dist\samtta\*"; DestDir: "{app}"; Flags: recursesubdirs

[Icons]
Name: "{group}\samtta"; Filename: "{app}\samtta.exe"

[Registry]
Root: HKA; Subkey: "Software\Classes\SystemFileAssociations\image\shell\samtta"; ValueType: string; ValueData: "Open with samtta"; Flags: uninsdeletekey
Root: HKA; Subkey: "Software\Classes\SystemFileAssociations\image\shell\samtta\command"; ValueType: string; ValueData: """{app}\samtta.exe"" open ""%1"""; Flags: uninsdeletekey
Root: HKA; Subkey: "Software\Classes\Directory\shell\samtta"; ValueType: string; ValueData: "Open with samtta"; Flags: uninsdeletekey
Root: HKA; Subkey: "Software\Classes\Directory\shell\samtta\command"; ValueType: string; ValueData: """{app}\samtta.exe"" open ""%1"""; Flags: uninsdeletekey
